import { monotonicMs } from '../util/time.ts';

export interface Loudness {
  /** False when the same has been told less than `quietMs` ago. */
  readonly loud: boolean;
  /** How many went untold since the last loud one; 0 when not loud. */
  readonly untold: number;
}

/** Lets one of a kind through in `quietMs`, so that a flood is one line and not a second flood. */
export const quieten = (quietMs = 60_000): ((kind: string) => Loudness) => {
  const last = new Map<string, { readonly atMs: number; untold: number }>();
  return (kind) => {
    const nowMs = monotonicMs();
    const before = last.get(kind);
    if (before !== undefined && nowMs - before.atMs < quietMs) {
      before.untold += 1;
      return { loud: false, untold: 0 };
    }
    last.set(kind, { atMs: nowMs, untold: 0 });
    return { loud: true, untold: before?.untold ?? 0 };
  };
};
