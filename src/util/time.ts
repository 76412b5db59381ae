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
