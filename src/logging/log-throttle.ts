import { monotonicMs } from '../util/time.ts';

export interface Throttled {
  /** False when the same has been told less than `quietMs` ago. */
  readonly emit: boolean;
  /** How many went suppressed since the last emit one; 0 when not emit. */
  readonly suppressed: number;
}

/** Lets one of a kind through in `quietMs`, so that a flood is one line and not a second flood. */
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
