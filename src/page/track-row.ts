import { html, type Markup } from './html.ts';
import { spanText } from './span-text.ts';
import type { TimeScale } from './time-scale.ts';
import { stageMark, trackDrawing, type Stage } from './track-drawing.ts';
import type { Track } from './tracks.ts';

const stageItem = (stage: Stage, text: string, ms: number | null): Markup =>
  html`<li data-stage="${stage}">${stageMark(stage)} ${text}${ms === null ? null : html` <b>${spanText(ms)}</b>`}</li>`;

/** What is not reached yet, or not known. */
const missing = ({ source, mountedMs, loadedMs, rejected }: Track, isOpen: boolean): Markup | null => {
  if (rejected !== null) return html`<li class="bad" data-stage="rejected">✘ rejected: ${rejected}</li>`;
  if (!isOpen) return html`<li class="dim">no further: another one was announced</li>`;
  if (source === 'pod') return html`<li class="dim">… has not acknowledged it</li>`;
  if (mountedMs === null) return html`<li class="dim">… waits for the kubelet</li>`;
  return html`<li class="dim">… ${loadedMs === null ? 'is being loaded' : 'is being acknowledged'}</li>`;
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
 * One replica's row in a rotation.
 *
 * @param nowMs after the announcement, for a track that is not at its end; null when it goes no further
 */
export const trackRow = (track: Track, scale: TimeScale, nowMs: number | null): Markup => {
  const isOpen = !track.isDone && nowMs !== null;
  return html`<li class="track" data-key="${track.name}" data-replica="${track.name}">
    <p class="who">
      <b>${track.name}</b>${track.isLeader ? html` <span class="tag">leader</span>` : null}
      ${track.source === 'pod' ? html` <span class="tag">by its Pod</span>` : null}
    </p>
    <div>${trackDrawing(track, scale, isOpen ? nowMs : null)} ${stageList(track, isOpen)}</div>
  </li>`;
};
