import type { Status } from '../status/status.ts';
import { hashText, html, type Markup, timestamp } from './html.ts';
import { meaningOf, stepText, waitText } from './labels.ts';

const state = ({ ready, reasons, served, renewsAt }: Status): Markup => {
  const renewal = renewsAt === null ? null : html`, to be renewed at ${timestamp(renewsAt)}`;
  const until = served === null ? null : html`<p>Certificate valid until ${timestamp(served.notAfter)}${renewal}</p>`;
  return ready
    ? html`<p class="state good" role="status">✔ Ready</p>
        ${until}`
    : html`<p class="state bad" role="status">✘ Not ready: ${reasons.join(', ')}</p>
        ${until}`;
};

/** Whether the detail says as much as the error. */
const isTold = ({ detail, error }: Status['waitsFor'][number]): boolean =>
  error === null || detail?.includes(error) === true;

const waits = ({ waitsFor, step, role }: Status): Markup => {
  const next = role === 'leader' ? html`<p>Next step as the leader: <b>${stepText(step)}</b>.</p>` : null;
  if (waitsFor.length === 0)
    return html`<p>Waiting for <b>nothing</b>.</p>
      ${next}`;
  return html`<ul class="waits">
      ${waitsFor.map(
        (blocker) =>
          html`<li data-wait="${blocker.for}">
            <p>
              Waiting for <b>${waitText(blocker.for)}</b> since
              ${timestamp(blocker.since)}${blocker.detail === null ? '.' : `: ${blocker.detail}`}
            </p>
            ${blocker.until === null ? null : html`<p>It ends at ${timestamp(blocker.until)}.</p>`}
            ${isTold(blocker) ? null : html`<p class="bad">Last error: ${blocker.error}</p>`}
          </li>`,
      )}
    </ul>
    ${next}`;
};

const silent = html`<p class="state bad" role="status">✘ Not reachable</p>`;

/**
 * The overview of one replica: readiness, certificate, and what it waits for.
 *
 * @param isAlone whether the page shows only this replica, whose name is then the title of the page
 */
export const replicaCard = ({ name, status }: SeenReplica, isAlone: boolean): Markup =>
  html`<section class="card replica" data-key="${name}" data-replica="${name}">
    <h2>${isAlone ? 'Now' : name} <span class="tag">${status?.role ?? 'unreachable'}</span></h2>
    ${status === null ? silent : [state(status), stepsRow(status), waits(status)]}
  </section>`;

interface Place {
  readonly name: string;
  readonly hash: string | null;
  readonly absent: string;
}

const sign = (hash: string | null, announced: string | null): Markup => {
  if (hash === null) return html`<span class="sign dim" aria-hidden="true">–</span>`;
  if (hash === announced || announced === null) return html`<span class="sign good" aria-hidden="true">✔</span>`;
  return html`<span class="sign bad" aria-hidden="true">≠</span>`;
};

/** The meaning of the sign in words. */
const compared = (hash: string | null, announced: string | null): Markup | null => {
  if (hash === null || announced === null) return null;
  return hash === announced ? html`<span class="unseen">as announced</span>` : html`<span class="bad">different</span>`;
};

/** The stages of the certificate (announced, mounted, served, acknowledged), each compared with the announcement. */
const stepsRow = ({ announced, mounted, served, acknowledged, acknowledges }: Status): Markup => {
  const announcedHash = announced?.hash ?? null;
  const places: readonly Place[] = [
    { name: 'Announced', hash: announcedHash, absent: 'none yet' },
    { name: 'Mounted', hash: mounted?.hash ?? null, absent: 'none yet' },
    { name: 'Served', hash: served?.hash ?? null, absent: 'none yet' },
    { name: 'Acknowledged', hash: acknowledged?.hash ?? null, absent: acknowledges ? 'not yet' : 'disabled' },
  ];
  return html`<ol class="steps">
    ${places.map(
      ({ name, hash, absent }, at) =>
        html`<li data-step="${name.toLowerCase()}" title="${meaningOf(name)}">
          <h3>${sign(hash, announcedHash)} ${name}</h3>
          <p>
            ${hash === null ? html`<span class="dim">${absent}</span>` : hashText(hash)}
            ${at === 0 ? null : compared(hash, announcedHash)}
          </p>
        </li>`,
    )}
  </ol>`;
};

/** One replica on the page; the status is null when it cannot be reached. */
export interface SeenReplica {
  readonly name: string;
  readonly status: Status | null;
}
