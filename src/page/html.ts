/** Markup that is safe to show: only `html` makes it, out of templates that stand in our own source. */
export interface Markup {
  readonly markup: string;
}

type Part = Markup | string | number | null | readonly Part[];

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const text = (part: Part): string => {
  if (part === null) return '';
  if (typeof part === 'string') return part.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? character);
  if (typeof part === 'number') return String(part);
  return 'markup' in part ? part.markup : part.map(text).join('');
};

/** A tag for templates: every value is text unless it is markup itself; null shows nothing, a list its items. */
export const html = (template: TemplateStringsArray, ...parts: readonly Part[]): Markup => ({
  markup: template.map((literal, at) => literal + text(parts[at] ?? null)).join(''),
});

/** Copies a whole hash, to grep for; shown where the browser lets the page do that. */
export const copyButton = (hash: string): Markup =>
  html`<button class="copy" type="button" data-copy="${hash}" aria-label="Copy hash ${hash.slice(0, 12)}">
    copy
  </button>`;

const SHORT_CHARS = 12;

/** A hash by its beginning, as the pretty log says it. */
export const hashText = (hash: string): Markup => html`<code title="${hash}">${hash.slice(0, SHORT_CHARS)}</code>`;

/** A moment as it is; the page's script keeps writing beside it how far away it is. */
export const timestamp = (time: string): Markup => {
  const [day = '', clock = ''] = new Date(time).toISOString().split(/T|\.|Z/);
  return html`<time datetime="${time}">${day} ${clock} UTC</time> <span class="far" data-far="${time}"></span>`;
};
