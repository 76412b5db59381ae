import { visibleText } from '../util/redact.ts';

const MAX_CHARS = 60;

/** The Levenshtein distance in characters. */
const distance = (from: string, to: string): number => {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [row, char] of Array.from(from).entries()) {
    const current = [row + 1];
    for (const [column, other] of Array.from(to).entries()) {
      const replaced = (previous[column] ?? 0) + (char === other ? 0 : 1);
      current.push(Math.min(replaced, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    previous = current;
  }
  return previous.at(-1) ?? 0;
};

/** The known word closest to a typed one; null when none is close enough to suggest, as no word of one letter is. */
export const didYouMean = (typed: string, words: readonly string[]): string | null => {
  // An argument may be a megabyte long; no text of that length is a typing error.
  if (typed.length > MAX_CHARS) return null;
  const plain = typed.toLowerCase().replaceAll('_', '-');
  const ranked = words
    .map((word) => ({ word, edits: distance(plain, word) }))
    .filter(({ word, edits }) => edits < word.length && edits <= Math.max(2, Math.floor(word.length / 3)));
  return ranked.sort((a, b) => a.edits - b.edits)[0]?.word ?? null;
};

/** The problem of an unknown flag, with a suggestion. */
export const unknownFlag = (flag: string, known: readonly string[]): string => {
  const meant = didYouMean(flag, known);
  const hint = meant === null ? 'expected a flag that --help lists' : `did you mean --${meant}?`;
  return `unknown flag --${visibleText(flag.slice(0, MAX_CHARS))}: ${hint}`;
};
