import type { Status } from '../status.ts';
import { hashText } from './hash-text.ts';
import { html, type Markup } from './html.ts';

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
export const stepsRow = ({ announced, mounted, served, acknowledged, acknowledges }: Status): Markup => {
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
