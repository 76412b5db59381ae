import { hrtime } from 'node:process';

/**
 * Milliseconds on the monotonic clock, which setting the system time does not change. Not `performance.now()`: the first
 * access of `performance` evaluates node:perf_hooks, which takes 4 ms of the start.
 */
export const monotonicMs = (): number => {
  const [seconds, nanoseconds] = hrtime();
  return seconds * 1_000 + nanoseconds / 1_000_000;
};

/** RFC 3339 in UTC with whole seconds, as used in announcements: `2026-12-06T11:12:18Z`. */
export const rfc3339Seconds = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** Formats a duration in its largest unit, rounded down: `364 d`, `59 min`, `0.4 s`. */
export const formatSpan = (ms: number): string => {
  const absoluteMs = Math.abs(ms);
  const [unit, unitMs] = UNITS.find(([, size]) => absoluteMs >= 2 * size) ?? ['s', 1_000];
  const count = absoluteMs / unitMs;
  return `${unit === 's' && count < 10 ? Math.round(count * 10) / 10 : Math.floor(count)} ${unit}`;
};

/** Formats an expiry date and the time left until it, or passed since. */
export const formatExpiry = (endMs: number, nowMs: number): string => {
  const day = `${new Date(endMs).toISOString().slice(0, 16)}Z`;
  return endMs > nowMs
    ? `until ${day}, ${formatSpan(endMs - nowMs)} left`
    : `expired at ${day}, ${formatSpan(nowMs - endMs)} ago`;
};
