import { visibleText } from '../util/redact.ts';

/** Levenshtein's distance, in characters. */
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

/** The word somebody may have meant, or null when none is close enough to suggest. */
export const didYouMean = (typed: string, words: readonly string[]): string | null => {
  // Somebody's flag may be a megabyte long; nothing that long is a typing error.
  if (typed.length > 60) return null;
  const plain = typed.toLowerCase().replaceAll('_', '-');
  const ranked = words
    .map((word) => ({ word, far: distance(plain, word) }))
    .filter(({ word, far }) => far <= Math.max(2, Math.floor(word.length / 3)));
  return ranked.sort((a, b) => a.far - b.far)[0]?.word ?? null;
};

const LONGEST_CHARS = 60;

/** What to say about a flag nobody knows, with the one that may have been meant. */
export const unknownFlag = (flag: string, known: readonly string[]): string => {
  const meant = didYouMean(flag, known);
  const hint = meant === null ? 'expected one that --help lists' : `did you mean --${meant}?`;
  return `unknown flag --${visibleText(flag.slice(0, LONGEST_CHARS))}: ${hint}`;
};
