import { EMPTY, catchError, defer, of, repeat, tap, throwError, timer } from 'rxjs';
import type { Observable, OperatorFunction } from 'rxjs';
import { backoffMs } from './backoff-ms.ts';
import { Problem } from './problem.ts';

/**
 * Resubscribes after a {@link Problem}, for ever, and tells each one as an item. A value resets the delay; any other
 * error is a bug and goes through.
 *
 *     source   --a--#      (resubscribed)  --b--|
 *     result   --a--f-----------------------b--|
 *                   |--- 800 ms, 1.6 s … --|
 *
 * @param random a number in [0, 1) for the jitter
 * @param failed makes the item from what went wrong and the ms until the next try
 */
export const retryWithBackoff =
  <T, F>(random: () => number, failed: (problem: Problem, retryInMs: number) => F): OperatorFunction<T, T | F> =>
  (source$) =>
    defer(() => {
      let failures = 0;
      let retryInMs: number | null = null;
      const attempt$ = defer(() => {
        retryInMs = null;
        return source$;
      }).pipe(
        tap(() => (failures = 0)),
        catchError((error: unknown): Observable<F> => {
          if (!(error instanceof Problem)) return throwError(() => error);
          retryInMs = backoffMs(++failures, random());
          return of(failed(error, retryInMs));
        }),
      );
      // Not one attempt inside the other: a day without API server is thousands of them, and the stack is finite.
      return attempt$.pipe(repeat({ delay: () => (retryInMs === null ? EMPTY : timer(retryInMs)) }));
    });
