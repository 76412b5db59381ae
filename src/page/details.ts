import type { LeafStatus, Status } from '../status/status.ts';
import { copyButton, hashText, html, type Markup, timestamp } from './html.ts';

type Leaf = { readonly hash: string } & (LeafStatus | Readonly<Record<keyof LeafStatus, null>>);

const facts = (title: string, { hash, serial, notBefore, notAfter, names }: Leaf): Markup =>
  html`<h3>Certificate ${title}</h3>
    <dl>
      <dt>SHA-256 of tls.crt</dt>
      <dd><code>${hash}</code> ${copyButton(hash)}</dd>
      ${
        serial === null
          ? html`<dt>Content</dt>
              <dd>cannot be read as a certificate</dd>`
          : html`<dt>Serial</dt>
              <dd><code>${serial}</code></dd>
              <dt>Valid from</dt>
              <dd>${timestamp(notBefore)}</dd>
              <dt>Valid until</dt>
              <dd>${timestamp(notAfter)}</dd>
              <dt>Names</dt>
              <dd>
                <ul class="names">
                  ${names.map((name) => html`<li>${name}</li>`)}
                </ul>
              </dd>`
      }
    </dl>`;

const announcedOnly = (announced: NonNullable<Status['announced']>): Markup =>
  html`<h3>Certificate announced</h3>
    <dl>
      <dt>SHA-256 of tls.crt</dt>
      <dd><code>${announced.hash}</code> ${copyButton(announced.hash)}</dd>
      <dt>Valid until</dt>
      <dd>${timestamp(announced.validUntil)}</dd>
      <dt>First seen</dt>
      <dd>${timestamp(announced.since)}</dd>
    </dl>`;

/** The announced, the mounted and the served certificate; equal ones are shown once. */
export const certificateCard = ({ announced, mounted, served }: Status): Markup => {
  const titles = (hash: string): string =>
    Object.entries({ announced, mounted, served })
      .flatMap(([title, part]) => (part?.hash === hash ? [title] : []))
      .join(', ')
      .replace(/, ([^,]*)$/, ' and $1');
  const isAnnouncedOnly = announced !== null && announced.hash !== mounted?.hash && announced.hash !== served?.hash;
  return html`<section class="card certificate">
    <h2>Certificate</h2>
    ${isAnnouncedOnly ? announcedOnly(announced) : null}
    ${mounted === null ? null : facts(titles(mounted.hash), mounted)}
    ${served === null || served.hash === mounted?.hash ? null : facts(titles(served.hash), served)}
    ${announced === null && mounted === null && served === null ? html`<p class="dim">None yet.</p>` : null}
  </section>`;
};

const replicaItem = (
  { name, servingHash }: NonNullable<Status['replicas']>[number],
  announced: string | null,
): Markup => {
  const isNewest = servingHash !== null && servingHash === announced;
  const sign = isNewest
    ? html`<span class="sign good" aria-hidden="true">✔</span>`
    : html`<span class="sign dim" aria-hidden="true">…</span>`;
  return html`<li data-key="${name}">
    <p class="breakable">${sign} <b>${name}</b></p>
    <p>
      ${servingHash === null ? html`<span class="dim">has no serving-hash annotation</span>` : html`serves ${hashText(servingHash)}`}
    </p>
  </li>`;
};

/** The leader, and how to come to its page: through the API server's proxy as a link, which the script makes, else by a command. */
const leaderPart = ({ leader, namespace, identity }: Status, port: number | null): Markup => {
  if (leader === null || leader === identity || port === null)
    return html`<dd class="breakable">${leader ?? 'none'}</dd>`;
  const forward = `kubectl -n ${namespace} port-forward ${leader} ${port}`;
  return html`<dd class="breakable"><span data-leader="${leader}">${leader}</span></dd>
    <dd class="dim">Its page: <code>${forward}</code> ${copyButton(forward, 'Copy command')}</dd>`;
};

/** The Lease, its watch, and the replicas by their Pod annotations. */
export const clusterCard = (status: Status, port: number | null): Markup => {
  const { watch, replicas, announced } = status;
  return html`<section class="card cluster">
    <h2>Cluster</h2>
    <dl>
      <dt>Leader</dt>
      ${leaderPart(status, port)}
      <dt>Lease watch</dt>
      <dd>${watch.state} since ${timestamp(watch.since)}</dd>
    </dl>
    <h3>Replicas by their Pod annotations</h3>
    ${
      replicas === null
        ? html`<p class="dim">Shown by the leader only.</p>`
        : html`<ul class="plain">
            ${replicas.map((replica) => replicaItem(replica, announced?.hash ?? null))}
          </ul>`
    }
  </section>`;
};

const casText = (count: number): string => (count === 1 ? '1 CA' : `${count} CAs`);

const targetItem = ({ target, trusts, notAfter }: NonNullable<Status['targets']>[number]): Markup =>
  html`<li data-key="${target}">
    <p class="breakable"><b>${target}</b></p>
    <p>
      ${trusts === null ? 'not readable' : trusts === 0 ? 'has no caBundle' : `trusts ${casText(trusts)}`}${
        notAfter === null ? null : html`, until ${timestamp(notAfter)}`
      }
    </p>
  </li>`;

const refusedItem = ({ object, reason }: Status['refused'][number]): Markup =>
  html`<li data-key="${object}">
    <p class="breakable"><span class="sign bad" aria-hidden="true">✘</span> <b>${object}</b></p>
    <p class="breakable">${reason}</p>
  </li>`;

/** The CAs that callers trust: the mounted bundle, every caBundle as the leader observes it, and the writes it set aside. */
export const trustCard = ({ bundle, targets, refused }: Status): Markup =>
  html`<section class="card trust">
    <h2>Trust bundle</h2>
    ${
      bundle === null || bundle.length === 0
        ? html`<p class="dim">Empty.</p>`
        : html`<ul class="plain">
            ${bundle.map(
              ({ subject, serial, notAfter }) =>
                html`<li data-key="${serial}">
                  <p class="breakable"><b>${subject}</b></p>
                  <p>serial <code>${serial}</code></p>
                  <p>until ${timestamp(notAfter)}</p>
                </li>`,
            )}
          </ul>`
    }
    ${
      targets === null
        ? null
        : html`<h3>caBundles as observed by the leader</h3>
            <ul class="plain">
              ${targets.map(targetItem)}
            </ul>`
    }
    ${
      refused.length === 0
        ? null
        : html`<h3>Set aside: the API server refuses the write</h3>
            <ul class="plain">
              ${refused.map(refusedItem)}
            </ul>`
    }
  </section>`;
