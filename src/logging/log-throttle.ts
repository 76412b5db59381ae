import { monotonicMs } from '../util/time.ts';

export interface Throttled {
  /** False when the same key was emitted less than `quietMs` ago. */
  readonly emit: boolean;
  /** How many were suppressed since the last emitted one; 0 where `emit` is false. */
  readonly suppressed: number;
}

/** Keys come from outside (paths, peers): beyond this number the oldest is forgotten, and may be logged again early. */
const MAX_KEYS = 256;

/** Limits log lines to one per key in `quietMs`, so that a flood of requests does not become a flood of lines. */
export const logThrottle = (quietMs = 60_000): ((key: string) => Throttled) => {
  const emitted = new Map<string, { readonly atMs: number; suppressed: number }>();
  return (key) => {
    const nowMs = monotonicMs();
    const last = emitted.get(key);
    if (last !== undefined && nowMs - last.atMs < quietMs) {
      last.suppressed += 1;
      return { emit: false, suppressed: 0 };
    }
    // Deleted first, since a Map keeps the position of a key that is set again: the first key is the oldest.
    emitted.delete(key);
    emitted.set(key, { atMs: nowMs, suppressed: 0 });
    const [oldest] = emitted.keys();
    if (emitted.size > MAX_KEYS && oldest !== undefined) emitted.delete(oldest);
    return { emit: true, suppressed: last?.suppressed ?? 0 };
  };
};
