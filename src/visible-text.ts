// What a terminal would act upon instead of showing.
const unseen = /["\\\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff]/g;

const escaped = (char: string): string =>
  char < ' ' || char === '"' || char === '\\'
    ? JSON.stringify(char).slice(1, -1)
    : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** The text with quotes, line ends and everything a terminal obeys written as JSON escapes. */
export function visibleText(text: string): string {
  return text.replace(unseen, escaped);
}
