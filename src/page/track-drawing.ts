import { html, type Markup } from './html.ts';
import { spanText } from './span-text.ts';
import type { TimeScale } from './time-scale.ts';
import type { Track } from './tracks.ts';

/** Each stage has its own shape and height, so that stages a few ms apart can all be seen. */
const SHAPES = {
  announced: 'M0 9v12',
  mounted: 'M-5 0h10l-5 8z',
  loaded: 'M-5 15a5 5 0 1 0 10 0a5 5 0 1 0-10 0z',
  acknowledged: 'M-5 30h10l-5-8z',
} as const;

export type Stage = keyof typeof SHAPES;

const mark = (stage: Stage, x: string): Markup =>
  html`<svg x="${x}" overflow="visible"><path class="mark ${stage}" d="${SHAPES[stage]}" /></svg>`;

const segment = (name: string, from: string, to: string): Markup =>
  html`<line class="${name}" x1="${from}" x2="${to}" y1="15" y2="15" />`;

/**
 * One track: the way as a line, its stages as marks on it.
 *
 * @param nowMs how far the way has come that is not at its end; null when it goes no further
 */
export const trackDrawing = (track: Track, scale: TimeScale, nowMs: number | null): Markup => {
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
      : segment(track.source === 'own' ? `way to-${stage}` : 'way untold', scale.at(before.ms), scale.at(ms));
  });
  const last = reached.at(-1)?.ms ?? 0;
  const pending =
    nowMs === null
      ? null
      : segment(track.rejected === null ? 'pending' : 'pending refused', scale.at(last), scale.at(nowMs));
  const label = `${track.name}: ${nowMs === null ? '' : 'not done after '}${spanText((nowMs ?? last) - track.announcedMs)}`;
  return html`<svg class="drawing" role="img" aria-label="${label}" height="30" width="100%">
    ${scale.ticksMs.map((ms) => html`<line class="grid" x1="${scale.at(ms)}" x2="${scale.at(ms)}" y1="0" y2="30" />`)}
    ${pending} ${lines} ${reached.map(({ stage, ms }) => mark(stage, scale.at(ms)))}
  </svg>`;
};

/** A stage's mark alone, for the text beside it. */
export const stageMark = (stage: Stage): Markup =>
  html`<svg
    class="key"
    aria-hidden="true"
    width="12"
    height="14"
    viewBox="-6 ${{ announced: 8, mounted: -3, loaded: 8, acknowledged: 19 }[stage]} 12 14"
  >
    <path class="mark ${stage}" d="${SHAPES[stage]}" />
  </svg>`;
