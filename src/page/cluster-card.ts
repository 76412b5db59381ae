import type { Status } from '../status.ts';
import { hashText } from './hash-text.ts';
import { html, type Markup } from './html.ts';
import { moment } from './moment.ts';

const replicaItem = (
  { name, servingHash, ready }: NonNullable<Status['replicas']>[number],
  announced: string | null,
): Markup => {
  const isNewest = servingHash !== null && servingHash === announced;
  const sign = isNewest
    ? html`<span class="sign good" aria-hidden="true">✔</span>`
    : html`<span class="sign dim" aria-hidden="true">…</span>`;
  return html`<li data-key="${name}">
    <p class="breakable">${sign} <b>${name}</b> ${ready ? html`<span class="dim">ready</span>` : null}</p>
    <p>
      ${servingHash === null ? html`<span class="dim">has not said what it serves</span>` : html`serves ${hashText(servingHash)}`}
    </p>
  </li>`;
};

/** The Lease, its watch, and the replicas as their Pods say. */
export const clusterCard = ({ leader, watch, replicas, announced }: Status): Markup =>
  html`<section class="card cluster">
    <h2>Cluster</h2>
    <dl>
      <dt>Leader</dt>
      <dd class="breakable">${leader ?? 'nobody'}</dd>
      <dt>Lease watch</dt>
      <dd>${watch.state} since ${moment(watch.since)}</dd>
    </dl>
    <h3>Replicas, as their Pods say</h3>
    ${
      replicas === null
        ? html`<p class="dim">Only the leader looks at them.</p>`
        : html`<ul class="plain">
            ${replicas.map((replica) => replicaItem(replica, announced?.hash ?? null))}
          </ul>`
    }
  </section>`;
