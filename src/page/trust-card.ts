import type { Status } from '../status.ts';
import { html, type Markup } from './html.ts';
import { moment } from './moment.ts';

const authorities = (count: number): string => (count === 1 ? 'one authority' : `${count} authorities`);

const targetItem = ({ target, trusts, notAfter }: NonNullable<Status['targets']>[number]): Markup =>
  html`<li data-key="${target}">
    <p class="breakable"><b>${target}</b></p>
    <p>
      ${trusts === null ? 'cannot be seen' : trusts === 0 ? 'has no caBundle' : `trusts ${authorities(trusts)}`}${
        notAfter === null ? null : html`, until ${moment(notAfter)}`
      }
    </p>
  </li>`;

/** Whom callers trust: the mounted bundle, and what the leader sees in every caBundle. */
export const trustCard = ({ bundle, targets }: Status): Markup =>
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
                  <p>until ${moment(notAfter)}</p>
                </li>`,
            )}
          </ul>`
    }
    ${
      targets === null
        ? null
        : html`<h3>caBundles, as the leader sees them</h3>
            <ul class="plain">
              ${targets.map(targetItem)}
            </ul>`
    }
  </section>`;
