/**
 * An operational failure that the core expects and handles: a refused request, a lost connection. Any other error on an
 * error channel is a bug and ends the process.
 */
export class Problem extends Error {
  override readonly name: string = 'Problem';
  /** HTTP status; null when no answer came. */
  readonly status: number | null;
  /** How long the server asks not to be asked again, ms; null when it does not say. */
  readonly retryAfterMs: number | null;

  constructor(message: string, status: number | null = null, retryAfterMs: number | null = null) {
    super(message);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}
