import { hrtime } from 'node:process';

/**
 * Milliseconds since some instant in the past; no clock that is set moves it. Not `performance.now()`: the first look at
 * `performance` evaluates all of node:perf_hooks, 4 ms of a start.
 */
export const monotonicMs = (): number => {
  const [seconds, nanoseconds] = hrtime();
  return seconds * 1_000 + nanoseconds / 1_000_000;
};

/** RFC 3339 in UTC with whole seconds, as certificates and announcements carry it: `2026-12-06T11:12:18Z`. */
export const rfc3339Seconds = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
