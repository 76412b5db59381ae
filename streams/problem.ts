import { catchError, type Observable, type OperatorFunction, throwError } from 'rxjs';

/**
 * A failure of the outside world that the core expects and handles, such as a rejected request or a lost connection.
 * Anything else on an error channel is a bug and ends the process.
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

/**
 * `catchError` for a {@link Problem} only. Any other error is a bug and passes through.
 *
 *     source   --a--#              # a Problem
 *     result   --a--f
 */
export const catchProblem = <T, F>(handle: (problem: Problem) => Observable<F>): OperatorFunction<T, T | F> =>
  catchError((error: unknown) => (error instanceof Problem ? handle(error) : throwError(() => error)));
