/**
 * A failure of the outside world that the core expects and answers (a refused request, a lost connection).
 * Anything else on an error channel is a bug and ends the process.
 */
export class Problem extends Error {
  override readonly name: string = 'Problem';
  /** HTTP status; null when no answer came. */
  readonly status: number | null;

  constructor(message: string, status: number | null = null) {
    super(message);
    this.status = status;
  }
}
