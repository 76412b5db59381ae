import process from 'node:process';
import { replaceBuiltin } from './replace-builtin.ts';

export interface MonotonicClock extends Disposable {
  nowMs: number;
}

/** The monotonic clock of the whole program, which stands still unless it is set, until it is disposed of. */
export const monotonicClock = (nowMs = 1_000): MonotonicClock => {
  const clock = { nowMs };
  const hrtime = () => [Math.floor(clock.nowMs / 1_000), (clock.nowMs % 1_000) * 1_000_000];
  return Object.assign(clock, replaceBuiltin(process, { hrtime }));
};
