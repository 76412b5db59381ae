import {
  catchError,
  defer,
  EMPTY,
  NEVER,
  type Observable,
  of,
  type OperatorFunction,
  race,
  repeat,
  take,
  tap,
  throwError,
  timer,
} from 'rxjs';
import { retryDelayMs } from './backoff.ts';
import { Problem } from './problem.ts';

/** Pauses from this failure on, 3.2 s and more, are worth being ended early. */
const WAKEABLE = 3;

/**
 * Resubscribes after a {@link Problem}, for ever, and tells each one as an item. A value starts the delays again, and so
 * does a refusal after silence: the server is back. Any other error is a bug and goes through.
 *
 * A sign of life ends a pause that began because nobody answered, but not two in a row: who is overrun and answers some
 * calls must not be asked the more for it.
 *
 *     source   --a--#      (resubscribed)  --b--#    (resubscribed)  --c--|
 *     wake     -----------------------------------------w---------------
 *     result   --a--f-----------------------b--g----------------------c--|
 *                   |--- 800 ms, 1.6 s … --|   |-------|
 *
 * @param random a number in [0, 1) for the jitter
 * @param failed makes the item from what went wrong and the ms until the next try
 * @param wake$ hot: the server has answered somebody
 */
export const retryWithBackoff =
  <T, F>(
    random: () => number,
    failed: (problem: Problem, retryInMs: number) => F,
    wake$: Observable<unknown> = NEVER,
  ): OperatorFunction<T, T | F> =>
  (source$) =>
    defer(() => {
      let failures = 0;
      let retryInMs: number | null = null;
      let unanswered = false;
      let woken = false;
      const attempt$ = defer(() => {
        retryInMs = null;
        return source$;
      }).pipe(
        tap(() => (failures = 0)),
        catchError((error: unknown): Observable<F> => {
          if (!(error instanceof Problem)) return throwError(() => error);
          failures = unanswered && error.status !== null ? 1 : failures + 1;
          unanswered = error.status === null;
          retryInMs = retryDelayMs(failures, random());
          return of(failed(error, retryInMs));
        }),
      );
      const pause = (waitMs: number): Observable<unknown> => {
        const wakeable = unanswered && failures >= WAKEABLE && !woken;
        woken = false;
        return wakeable ? race(timer(waitMs), wake$.pipe(tap(() => (woken = true)))).pipe(take(1)) : timer(waitMs);
      };
      // Not one attempt inside the other: a day without API server is thousands of them, and the stack is finite.
      return attempt$.pipe(repeat({ delay: () => (retryInMs === null ? EMPTY : pause(retryInMs)) }));
    });
