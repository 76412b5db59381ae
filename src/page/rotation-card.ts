import { copyButton } from './copy-button.ts';
import { hashText } from './hash-text.ts';
import { html, type Markup } from './html.ts';
import { moment } from './moment.ts';
import { spanText } from './span-text.ts';
import { timeScale, type TimeScale } from './time-scale.ts';
import { trackRow } from './track-row.ts';
import type { TrackedRotation } from './tracks.ts';

const SHORTEST_MS = 10;

const axis = (scale: TimeScale): Markup =>
  html`<svg class="axis" aria-hidden="true" height="18" width="100%">
    ${scale.ticksMs.map((ms) => html`<text x="${scale.at(ms)}" y="13">${spanText(ms)}</text>`)}
  </svg>`;

/** One rotation: a row for each replica on one axis of time, and how long it took in all. */
export const rotationCard = (rotation: TrackedRotation, nowMs: number): Markup => {
  const { hash, kind, announcedAt, tracks, isCurrent } = rotation;
  const goneMs = Math.max(0, nowMs - Date.parse(announcedAt));
  const isDone = tracks.every((track) => track.isDone);
  const furthestMs = Math.max(
    SHORTEST_MS,
    ...tracks.map((track) => track.acknowledgedMs ?? track.loadedMs ?? track.mountedMs ?? track.announcedMs),
  );
  const isOpen = isCurrent && !isDone;
  const scale = timeScale(isOpen ? Math.max(furthestMs, goneMs) : furthestMs);
  const done = html`<span class="good">✔ done in ${spanText(furthestMs)}</span>`;
  const state = isDone
    ? done
    : isCurrent
      ? html`<span class="busy">… under way</span>`
      : html`<span class="dim">superseded</span>`;
  return html`<li class="rotation" data-key="${hash}" data-hash="${hash}">
    <h3>${hashText(hash)} ${copyButton(hash)} ${state}</h3>
    <p class="dim">${kind === 'start' ? 'Found announced at the start' : 'Announced'} ${moment(announcedAt)}</p>
    <ul class="tracks">
      ${tracks.map((track) => trackRow(track, scale, isOpen ? goneMs : null))}
    </ul>
    <div class="scale">${axis(scale)}</div>
  </li>`;
};
