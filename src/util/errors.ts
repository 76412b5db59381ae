/** The `ENOENT` of a failed system call, or `unknown` for an error that carries none. */
export const errnoOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
