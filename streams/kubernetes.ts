import type { Problem } from './problem.ts';

const isNumber = (version: string): boolean => /^\d+$/.test(version);

/**
 * Whether one resourceVersion is older than another. They rise as numbers in every API server there is; where one
 * does not parse it counts as newer, so that nothing is ever ignored for being strange.
 */
export const isOlderVersion = (version: string, than: string): boolean =>
  isNumber(version) && isNumber(than) && BigInt(version) < BigInt(than);

/** Asked again, the API server may well answer: request timeout, conflict, expired version, too many requests. */
const PASSING = new Set([408, 409, 410, 429]);

/**
 * Whether a failure is the API server's own "no", which stays until somebody changes something (403, 404…). A lost
 * connection, a 500 or a 429 is none.
 */
export const isPermanentRejection = ({ status }: Pick<Problem, 'status'>): boolean =>
  status !== null && status >= 400 && status < 500 && !PASSING.has(status);
