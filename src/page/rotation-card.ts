import { copyButton, hashText, html, type Markup, timestamp } from './html.ts';
import { formatDuration } from './labels.ts';
import type { Track, TrackedRotation } from './tracks.ts';

const MIN_AXIS_MS = 10;

const axis = (scale: TimeScale): Markup =>
  html`<svg class="axis" aria-hidden="true" height="18" width="100%">
    ${scale.ticksMs.map((ms) => html`<text x="${scale.at(ms)}" y="13">${formatDuration(ms)}</text>`)}
  </svg>`;

/** One rotation: a row per replica on a common time axis, and the total duration. */
export const rotationCard = (rotation: TrackedRotation, nowMs: number): Markup => {
  const { hash, kind, announcedAt, tracks, isCurrent } = rotation;
  const elapsedMs = Math.max(0, nowMs - Date.parse(announcedAt));
  const isDone = tracks.every((track) => track.isDone);
  const lastMs = Math.max(
    MIN_AXIS_MS,
    ...tracks.map((track) => track.acknowledgedMs ?? track.loadedMs ?? track.mountedMs ?? track.announcedMs),
  );
  const isOpen = isCurrent && !isDone;
  const scale = timeScale(isOpen ? Math.max(lastMs, elapsedMs) : lastMs);
  const done = html`<span class="good">✔ done in ${formatDuration(lastMs)}</span>`;
  const state = isDone
    ? done
    : isCurrent
      ? html`<span class="busy">… in progress</span>`
      : html`<span class="dim">superseded</span>`;
  return html`<li class="rotation" data-key="${hash}" data-hash="${hash}">
    <h3>${hashText(hash)} ${copyButton(hash)} ${state}</h3>
    <p class="dim">${kind === 'start' ? 'Already announced at the start' : 'Announced'} ${timestamp(announcedAt)}</p>
    <ul class="tracks">
      ${tracks.map((track) => trackRow(track, scale, isOpen ? elapsedMs : null))}
    </ul>
    <div class="scale">${axis(scale)}</div>
  </li>`;
};

const stageItem = (stage: Stage, text: string, ms: number | null): Markup =>
  html`<li data-stage="${stage}">
    ${stageMark(stage)} ${text}${ms === null ? null : html` <b>${formatDuration(ms)}</b>`}
  </li>`;

/** The first stage that is not reached or not known. */
const missing = ({ source, mountedMs, loadedMs, rejected }: Track, isOpen: boolean): Markup | null => {
  if (rejected !== null) return html`<li class="bad" data-stage="rejected">✘ rejected: ${rejected}</li>`;
  if (!isOpen) return html`<li class="dim">superseded by another announcement</li>`;
  if (source === 'pod') return html`<li class="dim">… not acknowledged</li>`;
  if (mountedMs === null) return html`<li class="dim">… waiting for the kubelet</li>`;
  return html`<li class="dim">… ${loadedMs === null ? 'loading' : 'writing the acknowledgement'}</li>`;
};

const stageList = (track: Track, isOpen: boolean): Markup => {
  const { announcedMs, mountedMs, loadedMs, acknowledgedMs, source, witnessed } = track;
  const own = source === 'own';
  const since = (before: number | null, ms: number): number => ms - (before ?? announcedMs);
  const acknowledged = own ? 'acknowledged after' : witnessed ? 'acknowledged after' : 'acknowledged within';
  return html`<ol class="stages">
    ${own ? stageItem('announced', 'announced', null) : null}
    ${mountedMs === null ? null : stageItem('mounted', 'mounted after', since(null, mountedMs))}
    ${loadedMs === null ? null : stageItem('loaded', 'loaded after', since(mountedMs, loadedMs))}
    ${acknowledgedMs === null ? null : stageItem('acknowledged', acknowledged, since(loadedMs, acknowledgedMs))}
    ${track.isDone ? null : missing(track, isOpen)}
  </ol>`;
};

/**
 * The row of one replica in a rotation.
 *
 * @param nowMs time since the announcement for an unfinished track; null when the track goes no further
 */
const trackRow = (track: Track, scale: TimeScale, nowMs: number | null): Markup => {
  const isOpen = !track.isDone && nowMs !== null;
  return html`<li class="track" data-key="${track.name}" data-replica="${track.name}">
    <p class="who">
      <b>${track.name}</b>${track.isLeader ? html` <span class="tag">leader</span>` : null}
      ${track.source === 'pod' ? html` <span class="tag">from Pod annotation</span>` : null}
    </p>
    <div>${trackDrawing(track, scale, isOpen ? nowMs : null)} ${stageList(track, isOpen)}</div>
  </li>`;
};

/** Each stage has its own shape and height, so that stages a few ms apart remain visible. */
const SHAPES = {
  announced: 'M0 9v12',
  mounted: 'M-5 0h10l-5 8z',
  loaded: 'M-5 15a5 5 0 1 0 10 0a5 5 0 1 0-10 0z',
  acknowledged: 'M-5 30h10l-5-8z',
} as const;

type Stage = keyof typeof SHAPES;

const mark = (stage: Stage, x: string): Markup =>
  html`<svg x="${x}" overflow="visible"><path class="mark ${stage}" d="${SHAPES[stage]}" /></svg>`;

const segment = (name: string, from: string, to: string): Markup =>
  html`<line class="${name}" x1="${from}" x2="${to}" y1="15" y2="15" />`;

/**
 * Draws one track as a line with its stages as marks.
 *
 * @param nowMs time since the announcement for an unfinished track; null when the track goes no further
 */
const trackDrawing = (track: Track, scale: TimeScale, nowMs: number | null): Markup => {
  const stages: readonly (readonly [Stage, number | null])[] = [
    ['announced', track.announcedMs],
    ['mounted', track.mountedMs],
    ['loaded', track.loadedMs],
    ['acknowledged', track.acknowledgedMs],
  ];
  const reached = stages.flatMap(([stage, ms]) => (ms === null ? [] : [{ stage, ms }]));
  const lines = reached.map(({ stage, ms }, at) => {
    const before = reached[at - 1];
    return before === undefined
      ? null
      : segment(track.source === 'own' ? `way to-${stage}` : 'way unknown', scale.at(before.ms), scale.at(ms));
  });
  const last = reached.at(-1)?.ms ?? 0;
  const pending =
    nowMs === null
      ? null
      : segment(track.rejected === null ? 'pending' : 'pending refused', scale.at(last), scale.at(nowMs));
  const label = `${track.name}: ${nowMs === null ? '' : 'not done after '}${formatDuration((nowMs ?? last) - track.announcedMs)}`;
  return html`<svg class="drawing" role="img" aria-label="${label}" height="30" width="100%">
    ${scale.ticksMs.map((ms) => html`<line class="grid" x1="${scale.at(ms)}" x2="${scale.at(ms)}" y1="0" y2="30" />`)}
    ${pending} ${lines} ${reached.map(({ stage, ms }) => mark(stage, scale.at(ms)))}
  </svg>`;
};

/** The mark of a stage for use in text. */
const stageMark = (stage: Stage): Markup =>
  html`<svg
    class="key"
    aria-hidden="true"
    width="12"
    height="14"
    viewBox="-6 ${{ announced: 8, mounted: -3, loaded: 8, acknowledged: 19 }[stage]} 12 14"
  >
    <path class="mark ${stage}" d="${SHAPES[stage]}" />
  </svg>`;

/** A time axis that begins at zero. */
interface TimeScale {
  /** Round values in ms, including zero and the end. */
  readonly ticksMs: readonly number[];
  /** The position on the axis as a percentage for SVG. */
  readonly at: (ms: number) => string;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const STEPS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 20, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 20, 30].map((count) => count * MINUTE),
  ...[1, 2, 6, 12, 24].map((count) => count * HOUR),
];
const MAX_STEPS = 5;

/**
 * Creates an axis.
 *
 * @param longestMs the value that must fit
 */
export const timeScale = (longestMs: number): TimeScale => {
  const stepMs =
    STEPS.find((candidate) => longestMs / candidate <= MAX_STEPS) ?? Math.ceil(longestMs / MAX_STEPS / HOUR) * HOUR;
  const steps = Math.max(1, Math.ceil(longestMs / stepMs));
  return {
    ticksMs: Array.from({ length: steps + 1 }, (_, at) => at * stepMs),
    at: (ms) => `${((100 * ms) / (steps * stepMs)).toFixed(2)}%`,
  };
};
