import type { Problem } from './problem.ts';

const isNumber = (version: string): boolean => /^\d+$/.test(version);

/**
 * Whether one resourceVersion is older than another. They increase as numbers in every known API server; one that is not
 * a number counts as newer, so that no object is ignored because of an unusual version.
 */
export const isOlderVersion = (version: string, than: string): boolean =>
  isNumber(version) && isNumber(than) && BigInt(version) < BigInt(than);

/** Statuses that a retry may resolve: request timeout, conflict, expired version, too many requests. */
const TEMPORARY = new Set([408, 409, 410, 429]);

/**
 * Whether a failure is a rejection by the API server that lasts until something is changed (403, 404…). A lost connection,
 * a 500 or a 429 is temporary.
 */
export const isPermanentRejection = ({ status }: Pick<Problem, 'status'>): boolean =>
  status !== null && status >= 400 && status < 500 && !TEMPORARY.has(status);
