import { monotonicMs } from '../util/time.ts';

export interface Throttled {
  /** False when a line of the same kind was emitted less than `quietMs` ago. */
  readonly emit: boolean;
  /** Number of lines of this kind suppressed since the last emitted one; 0 when `emit` is false. */
  readonly suppressed: number;
}

/** Lets one line of each kind through per `quietMs`, so that a flood of requests does not become a flood of lines. */
export const logThrottle = (quietMs = 60_000): ((kind: string) => Throttled) => {
  const last = new Map<string, { readonly atMs: number; suppressed: number }>();
  return (kind) => {
    const nowMs = monotonicMs();
    const before = last.get(kind);
    if (before !== undefined && nowMs - before.atMs < quietMs) {
      before.suppressed += 1;
      return { emit: false, suppressed: 0 };
    }
    last.set(kind, { atMs: nowMs, suppressed: 0 });
    return { emit: true, suppressed: before?.suppressed ?? 0 };
  };
};
