/** The `ENOENT` of a failed system call, or `unknown` for an error without a code. */
export const errnoOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';

/** The message of a thrown value; a value that is not an Error as text, since JavaScript may throw anything. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
