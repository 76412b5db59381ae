import { type Observable, race, take, tap, timer } from 'rxjs';
import { retryDelayMs, timerDelayMs } from './backoff.ts';

/** Pauses from this failure in a row on, 3.2 s and more, are worth being cut short; the first two retries come soon. */
const FIRST_LONG_PAUSE = 3;

export interface AttemptFailure {
  /** Whether the server answered: a rejection is an answer, a lost connection is not. */
  readonly answered: boolean;
  /** The server is back after a time without answers: the earlier failures no longer count. */
  readonly restarts: boolean;
  /** `Retry-After`: the least time to wait, ms. */
  readonly retryAfterMs: number | null;
}

export interface RetryPause {
  /** How many attempts have failed in a row. */
  readonly failures: () => number;
  /** Starts the delays again: an attempt has yielded something. */
  succeeded(): void;
  /** Counts a failure and returns how long the pause after it lasts, ms. */
  failed(failure: AttemptFailure): number;
  /** Waits that long, or until the API server is seen to answer. Cold. */
  wait(waitMs: number): Observable<unknown>;
}

/**
 * The pauses between the attempts of one request. They double from failure to failure and last at least as long as
 * `Retry-After` asks.
 *
 * A response of the API server to another request cuts a long pause short if that pause began because no answer came,
 * but never two pauses in a row: an overloaded server that answers some requests must not get more of them.
 *
 * @param random a number in [0, 1) for the jitter
 * @param apiReachable$ hot: the API server has answered another request
 */
export const retryPause = (random: () => number, apiReachable$: Observable<unknown>): RetryPause => {
  let failures = 0;
  let unanswered = false;
  let cutShort = false;

  return {
    failures: () => failures,
    succeeded() {
      failures = 0;
    },
    failed({ answered, restarts, retryAfterMs }) {
      failures = unanswered && restarts ? 1 : failures + 1;
      unanswered = !answered;
      return Math.max(retryDelayMs(failures, random()), retryAfterMs ?? 0);
    },
    wait(waitMs) {
      const pause$ = timer(timerDelayMs(waitMs));
      const canBeCutShort = unanswered && failures >= FIRST_LONG_PAUSE && !cutShort;
      cutShort = false;
      return canBeCutShort ? race(pause$, apiReachable$.pipe(tap(() => (cutShort = true)))).pipe(take(1)) : pause$;
    },
  };
};
