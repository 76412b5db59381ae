import { visibleText } from '../visible-text.ts';
import { nearest } from './nearest.ts';

const longestChars = 60;

/** What to say about a flag nobody knows, with the one that may have been meant. */
export function unknownFlag(flag: string, known: readonly string[]): string {
  const meant = nearest(flag, known);
  const hint = meant === null ? 'expected one that --help lists' : `did you mean --${meant}?`;
  return `unknown flag --${visibleText(flag.slice(0, longestChars))}: ${hint}`;
}
