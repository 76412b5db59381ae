/** Escaped markup. Only `html` creates it, from templates in this source. */
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

/** A template tag that escapes every value except markup; null renders nothing, a list its items. */
export const html = (template: TemplateStringsArray, ...parts: readonly Part[]): Markup => ({
  markup: template.map((literal, at) => literal + text(parts[at] ?? null)).join(''),
});

/** A button that copies a text, by default a whole hash; shown where the browser allows it. */
export const copyButton = (copied: string, label = `Copy hash ${copied.slice(0, 12)}`): Markup =>
  html`<button class="copy" type="button" data-copy="${copied}" aria-label="${label}">copy</button>`;

const SHORT_CHARS = 12;

/** A hash shortened as in the pretty log. */
export const hashText = (hash: string): Markup => html`<code title="${hash}">${hash.slice(0, SHORT_CHARS)}</code>`;

/** A point in time; the script of the page keeps the distance from now up to date beside it. */
export const timestamp = (time: string): Markup => {
  const [day = '', clock = ''] = new Date(time).toISOString().split(/T|\.|Z/);
  return html`<time datetime="${time}">${day} ${clock} UTC</time> <span class="far" data-far="${time}"></span>`;
};
