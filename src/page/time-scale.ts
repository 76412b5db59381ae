/** An axis from zero. */
export interface TimeScale {
  /** Round values, ms, zero and the end among them. */
  readonly ticksMs: readonly number[];
  /** Where on the axis, as a percentage for SVG. */
  readonly at: (ms: number) => string;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const STEPS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 20, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 20, 30].map((count) => count * MINUTE),
  ...[1, 2, 6, 12, 24].map((count) => count * HOUR),
];
const MOST_STEPS = 5;

/** @param longestMs what must fit */
export const timeScale = (longestMs: number): TimeScale => {
  const stepMs =
    STEPS.find((candidate) => longestMs / candidate <= MOST_STEPS) ?? Math.ceil(longestMs / MOST_STEPS / HOUR) * HOUR;
  const steps = Math.max(1, Math.ceil(longestMs / stepMs));
  return {
    ticksMs: Array.from({ length: steps + 1 }, (_, at) => at * stepMs),
    at: (ms) => `${((100 * ms) / (steps * stepMs)).toFixed(2)}%`,
  };
};
