import type { Status } from '../status.ts';
import { html, type Markup } from './html.ts';
import { moment } from './moment.ts';
import type { SeenReplica } from './seen-replica.ts';
import { stepText } from './step-text.ts';
import { stepsRow } from './steps-row.ts';
import { waitText } from './wait-text.ts';

const state = ({ ready, reasons, served }: Status): Markup => {
  const until = served === null ? null : html`<p>Its certificate is valid until ${moment(served.notAfter)}</p>`;
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
            ${moment(wait.since)}${wait.detail === null ? '.' : `: ${wait.detail}`}
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
