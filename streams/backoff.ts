/** 800 ms doubling to 30 s: the reflector's back-off in client-go (NewReflector, `wait.NewExponentialBackoffManager`). */
const FIRST_MS = 800;
const LONGEST_MS = 30_000;

/**
 * How long to wait before the next try.
 *
 * @param failures how many tries have failed in a row, from 1
 * @param random a number in [0, 1); spreads replicas over [half, whole] of the delay
 * @returns milliseconds
 */
export const retryDelayMs = (failures: number, random: number): number => {
  const wholeMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1));
  return Math.round(wholeMs * (0.5 + random / 2));
};

const FIRST_POLL_MS = 2_000;
const LONGEST_POLL_MS = 30_000;

/**
 * How long to wait before a question is put again that has been answered, only not yet as hoped: 2 s, 4 s … 30 s.
 *
 * @param times how often it has been put, from 1
 * @returns milliseconds
 */
export const pollDelayMs = (times: number): number => Math.min(LONGEST_POLL_MS, FIRST_POLL_MS * 2 ** (times - 1));
