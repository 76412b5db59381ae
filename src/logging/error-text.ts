import { Problem } from '../../streams/problem.ts';

const DEEPEST = 5;

/**
 * What an error says, its causes included: `fetch failed: connect ECONNREFUSED 10.0.0.1:443`.
 * An AggregateError, which has often no message of its own, says what its errors say.
 */
export const errorText = (error: Error, depth = 0): string => {
  const inner: unknown[] = error instanceof AggregateError ? error.errors : [error.cause];
  const told = depth < DEEPEST ? inner.filter((each) => each instanceof Error) : [];
  const causes = told.map((each) => errorText(each, depth + 1)).join('; ');
  return [error.message, causes].filter((text) => text !== '').join(': ') || error.name;
};

/** Of a bug; what is wrong outside is said without one. */
export const stackOf = (error: unknown): string | undefined =>
  error instanceof Error && !(error instanceof Problem) ? error.stack : undefined;
