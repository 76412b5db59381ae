const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** A span in its largest unit, rounded down: `364 d`, `59 min`, `0.4 s`. */
const span = (ms: number): string => {
  const absoluteMs = Math.abs(ms);
  const [unit, unitMs] = UNITS.find(([, size]) => absoluteMs >= 2 * size) ?? ['s', 1_000];
  const count = absoluteMs / unitMs;
  return `${unit === 's' && count < 10 ? Math.round(count * 10) / 10 : Math.floor(count)} ${unit}`;
};

/** Times for people. */
export const timeText = {
  span,
  /** The day that a certificate ends, and how far off that is. */
  until: (endMs: number, nowMs: number): string => {
    const day = `${new Date(endMs).toISOString().slice(0, 16)}Z`;
    return endMs > nowMs
      ? `until ${day}, ${span(endMs - nowMs)} left`
      : `expired at ${day}, ${span(nowMs - endMs)} ago`;
  },
} as const;
