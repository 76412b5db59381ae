import { html, type Markup } from './html.ts';

const SHORT_CHARS = 12;

/** A hash by its beginning, as the pretty log says it. */
export const hashText = (hash: string): Markup => html`<code title="${hash}">${hash.slice(0, SHORT_CHARS)}</code>`;
