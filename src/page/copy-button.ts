import { html, type Markup } from './html.ts';

/** Copies a whole hash, to grep for; shown where the browser lets the page do that. */
export const copyButton = (hash: string): Markup =>
  html`<button class="copy" type="button" data-copy="${hash}" aria-label="Copy hash ${hash.slice(0, 12)}">
    copy
  </button>`;
