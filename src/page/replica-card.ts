import type { Status } from '../status/status.ts';
import { hashText, html, type Markup, timestamp } from './html.ts';
import { stepText, waitText } from './labels.ts';

const state = ({ ready, reasons, served }: Status): Markup => {
  const until = served === null ? null : html`<p>Its certificate is valid until ${timestamp(served.notAfter)}</p>`;
  return ready
    ? html`<p class="state good" role="status">✔ Ready</p>
        ${until}`
    : html`<p class="state bad" role="status">✘ Not ready: ${reasons.join(', ')}</p>
        ${until}`;
};

const waits = ({ waitsFor, step, role }: Status): Markup => {
  const next = role === 'leader' ? html`<p>As the leader: <b>${stepText(step)}</b>.</p>` : null;
  if (waitsFor.length === 0)
    return html`<p>Waits for <b>nothing</b>.</p>
      ${next}`;
  return html`<ul class="waits">
      ${waitsFor.map(
        (wait) =>
          html`<li data-wait="${wait.for}">
            Waits for <b>${waitText(wait.for)}</b> since
            ${timestamp(wait.since)}${wait.detail === null ? '.' : `: ${wait.detail}`}
          </li>`,
      )}
    </ul>
    ${next}`;
};

const silent = html`<p class="state bad" role="status">✘ Does not answer</p>`;

/**
 * One replica at a glance: is it ready, what does it serve, what does it wait for.
 *
 * @param isAlone the page is about this one, and is called so
 */
export const replicaCard = ({ name, status }: SeenReplica, isAlone: boolean): Markup =>
  html`<section class="card replica" data-key="${name}" data-replica="${name}">
    <h2>${isAlone ? 'Now' : name} <span class="tag">${status?.role ?? 'gone'}</span></h2>
    ${status === null ? silent : [state(status), stepsRow(status), waits(status)]}
  </section>`;

interface Place {
  readonly name: string;
  readonly hash: string | null;
  readonly absent: string;
}

const sign = (hash: string | null, wanted: string | null): Markup => {
  if (hash === null) return html`<span class="sign dim" aria-hidden="true">–</span>`;
  if (hash === wanted || wanted === null) return html`<span class="sign good" aria-hidden="true">✔</span>`;
  return html`<span class="sign bad" aria-hidden="true">≠</span>`;
};

/** What the sign says to the eye. */
const compared = (hash: string | null, wanted: string | null): Markup | null => {
  if (hash === null || wanted === null) return null;
  return hash === wanted ? html`<span class="unseen">as announced</span>` : html`<span class="bad">another one</span>`;
};

/** Where the certificate is on its way: announced, mounted, served, acknowledged, each beside what is announced. */
const stepsRow = ({ announced, mounted, served, acknowledged, acknowledges }: Status): Markup => {
  const wanted = announced?.hash ?? null;
  const places: readonly Place[] = [
    { name: 'Announced', hash: wanted, absent: 'nothing yet' },
    { name: 'Mounted', hash: mounted?.hash ?? null, absent: 'nothing yet' },
    { name: 'Served', hash: served?.hash ?? null, absent: 'nothing yet' },
    { name: 'Acknowledged', hash: acknowledged?.hash ?? null, absent: acknowledges ? 'not yet' : 'switched off' },
  ];
  return html`<ol class="steps">
    ${places.map(
      ({ name, hash, absent }, at) =>
        html`<li data-step="${name.toLowerCase()}">
          <h3>${sign(hash, wanted)} ${name}</h3>
          <p>
            ${hash === null ? html`<span class="dim">${absent}</span>` : hashText(hash)}
            ${at === 0 ? null : compared(hash, wanted)}
          </p>
        </li>`,
    )}
  </ol>`;
};

/** One replica as the page knows it; no status when it does not answer. */
export interface SeenReplica {
  readonly name: string;
  readonly status: Status | null;
}
