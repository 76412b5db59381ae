import type { Problem } from './problem.ts';

/** Asked again, the API server may well answer: request timeout, conflict, expired version, too many requests. */
const PASSING = new Set([408, 409, 410, 429]);

/**
 * Whether a failure is the API server's own "no", which stays until somebody changes something (403, 404…). A lost
 * connection, a 500 or a 429 is none.
 */
export const isRefusal = ({ status }: Pick<Problem, 'status'>): boolean =>
  status !== null && status >= 400 && status < 500 && !PASSING.has(status);
