import { defer, EMPTY, NEVER, type Observable, of, type OperatorFunction, repeat, tap } from 'rxjs';
import { retryPause } from './backoff.ts';
import { catchProblem } from './catch-problem.ts';
import type { Problem } from './problem.ts';

/**
 * Resubscribes after a {@link Problem}, without limit, and emits each one as an item. A value starts the delays again, and
 * so does a rejection after a time without answers, since the server is back. Any other error is a bug and passes
 * through. See {@link retryPause} for the pauses.
 *
 *     source      --a--#      (resubscribed)  --b--#    (resubscribed)  --c--|
 *     reachable   -----------------------------------------r---------------
 *     result      --a--f-----------------------b--g----------------------c--|
 *                      |--- 800 ms, 1.6 s … --|   |-------|
 *
 * @param random a number in [0, 1) for the jitter
 * @param failed makes the item from the problem and the ms until the next try
 * @param apiReachable$ hot: the API server has answered another request
 */
export const retryWithBackoff =
  <T, F>(
    random: () => number,
    failed: (problem: Problem, retryInMs: number) => F,
    apiReachable$: Observable<unknown> = NEVER,
  ): OperatorFunction<T, T | F> =>
  (source$) =>
    defer(() => {
      const pause = retryPause(random, apiReachable$);
      let retryInMs: number | null = null;
      const attempt$ = defer(() => {
        retryInMs = null;
        return source$;
      }).pipe(
        tap(() => pause.succeeded()),
        catchProblem((problem) => {
          const answered = problem.status !== null;
          retryInMs = pause.failed({ answered, restarts: answered, retryAfterMs: problem.retryAfterMs });
          return of(failed(problem, retryInMs));
        }),
      );
      // Not one attempt inside the other: a day without API server is thousands of them, and the stack is finite.
      return attempt$.pipe(repeat({ delay: () => (retryInMs === null ? EMPTY : pause.wait(retryInMs)) }));
    });
