import { Problem } from '../../streams/problem.ts';

/** The `ENOENT` of a failed system call, or `unknown` for an error without a code. */
export const errnoOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';

/** The message of a thrown value; a value that is not an Error as text, since JavaScript may throw anything. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const MAX_DEPTH = 5;

/**
 * The message of an error with its causes: `fetch failed: connect ECONNREFUSED 10.0.0.1:443`. For an AggregateError, which
 * often has no message of its own, the messages of its errors.
 */
export const errorText = (error: Error, depth = 0): string => {
  const inner: unknown[] = error instanceof AggregateError ? error.errors : [error.cause];
  const shown = depth < MAX_DEPTH ? inner.filter((each) => each instanceof Error) : [];
  const causes = shown.map((each) => errorText(each, depth + 1)).join('; ');
  return [error.message, causes].filter((text) => text !== '').join(': ') || error.name;
};

/** The stack of a bug; undefined for a Problem, whose cause lies outside this program. */
export const stackOf = (error: unknown): string | undefined =>
  error instanceof Error && !(error instanceof Problem) ? error.stack : undefined;
