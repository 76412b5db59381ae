import { type Observable, race, take, tap, timer } from 'rxjs';

/** 800 ms doubling to 30 s: the reflector's back-off in client-go (NewReflector, `wait.NewExponentialBackoffManager`). */
const FIRST_MS = 800;
const LONGEST_MS = 30_000;

/**
 * Returns how long to wait before the next try, in ms.
 *
 * @param failures how many tries have failed in a row, from 1
 * @param random a number in [0, 1); spreads replicas over [half, whole] of the delay
 */
export const retryDelayMs = (failures: number, random: number): number => {
  const wholeMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1));
  return Math.round(wholeMs * (0.5 + random / 2));
};

const FIRST_POLL_MS = 2_000;
const LONGEST_POLL_MS = 30_000;

/**
 * Returns how long to wait before a request is repeated that succeeded without the hoped-for result: 2 s, 4 s … 30 s.
 *
 * @param times how often it has been sent, from 1
 */
export const pollDelayMs = (times: number): number => Math.min(LONGEST_POLL_MS, FIRST_POLL_MS * 2 ** (times - 1));

/** The longest delay of a timer, 24.8 days: `setTimeout` fires after 1 ms when it is asked for more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Bounds a delay that was read from outside or computed by subtraction to what a timer can wait for. */
export const timerDelayMs = (ms: number): number => (ms > 0 ? Math.min(ms, LONGEST_TIMER_MS) : 0);

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
