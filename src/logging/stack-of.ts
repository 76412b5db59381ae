import { Problem } from '../../streams/problem.ts';

/** Of a bug; what is wrong outside is said without one. */
export const stackOf = (error: unknown): string | undefined =>
  error instanceof Error && !(error instanceof Problem) ? error.stack : undefined;
