import type { LeafStatus, Status } from '../status.ts';
import { copyButton } from './copy-button.ts';
import { html, type Markup } from './html.ts';
import { moment } from './moment.ts';

type Leaf = { readonly hash: string } & (LeafStatus | Readonly<Record<keyof LeafStatus, null>>);

const facts = (title: string, { hash, serial, notBefore, notAfter, names }: Leaf): Markup =>
  html`<h3>What is ${title}</h3>
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
              <dd>${moment(notBefore)}</dd>
              <dt>Valid until</dt>
              <dd>${moment(notAfter)}</dd>
              <dt>Names</dt>
              <dd>
                <ul class="names">
                  ${names.map((name) => html`<li>${name}</li>`)}
                </ul>
              </dd>`
      }
    </dl>`;

const announcedOnly = (announced: NonNullable<Status['announced']>): Markup =>
  html`<h3>What is announced</h3>
    <dl>
      <dt>SHA-256 of tls.crt</dt>
      <dd><code>${announced.hash}</code> ${copyButton(announced.hash)}</dd>
      <dt>Valid until</dt>
      <dd>${moment(announced.validUntil)}</dd>
      <dt>First seen</dt>
      <dd>${moment(announced.since)}</dd>
    </dl>`;

/** Every certificate that is announced, mounted or served, each once, under all that it is. */
export const certificateCard = ({ announced, mounted, served }: Status): Markup => {
  const titles = (hash: string): string =>
    Object.entries({ announced, mounted, served })
      .flatMap(([title, part]) => (part?.hash === hash ? [title] : []))
      .join(', ')
      .replace(/, ([^,]*)$/, ' and $1');
  const alone = announced !== null && announced.hash !== mounted?.hash && announced.hash !== served?.hash;
  return html`<section class="card certificate">
    <h2>Certificate</h2>
    ${alone ? announcedOnly(announced) : null} ${mounted === null ? null : facts(titles(mounted.hash), mounted)}
    ${served === null || served.hash === mounted?.hash ? null : facts(titles(served.hash), served)}
    ${announced === null && mounted === null && served === null ? html`<p class="dim">None yet.</p>` : null}
  </section>`;
};
