import type { Standard } from './variable.ts';

/** A default in words, or null when there is none to tell. */
export function standardSaid(standard: Standard): string | null {
  if (standard === null || standard === '') return null;
  return typeof standard === 'string' ? standard : standard.said;
}
