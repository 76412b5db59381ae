/**
 * A failure of the outside world that the core expects and handles, such as a rejected request or a lost connection.
 * Anything else on an error channel is a bug and ends the process. In a file without rxjs, which handlers do not need.
 */
export class Problem extends Error {
  override readonly name: string = 'Problem';
  /** HTTP status; null when no answer came. */
  readonly status: number | null;
  /** How long the server asks to wait before the next request (`Retry-After`), ms; null when it does not ask. */
  readonly retryAfterMs: number | null;

  constructor(message: string, status: number | null = null, retryAfterMs: number | null = null) {
    super(message);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}
