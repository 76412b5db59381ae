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
