/** Markup that is safe to show: only `html` makes it, out of templates that stand in our own source. */
export interface Markup {
  readonly markup: string;
}

export type Part = Markup | string | number | null | readonly Part[];

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
