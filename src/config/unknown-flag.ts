import { nearest } from './nearest.ts';
import { settings } from './settings.ts';
import { visibleText } from '../visible-text.ts';

const longestChars = 60;
const known = settings.flatMap(([, { flag, alias }]) => (alias === null ? [flag] : [flag, alias]));

/**
 * The problem with a flag that no variable has, or null when one has it.
 *
 * @param more Flags that are known besides those of the variables.
 */
export function unknownFlag(flag: string, more: readonly string[] = []): string | null {
  const all = [...known, ...more];
  if (all.includes(flag)) return null;
  const meant = nearest(flag, all);
  const hint = meant === null ? 'expected one that --help lists' : `did you mean --${meant}?`;
  return `unknown flag --${visibleText(flag.slice(0, longestChars))}: ${hint}`;
}
