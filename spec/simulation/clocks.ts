import type { Clock } from '../../streams/clock.ts';
import type { VirtualTime } from '../support/virtual-time.ts';

/** When every history begins, ms since the epoch. */
const BEGINNING_MS = Date.UTC(2026, 10, 23);

export interface MachineClock extends Clock {
  /** Moves the wall clock, within the skew that the scenario allows. */
  jump(byMs: number): void;
}

/** The clock of the world, which certificates are really judged by, and the clocks of machines, which are wrong. */
export const clocks = (time: VirtualTime, mostSkewMs: number) => {
  const trueMs = (): number => BEGINNING_MS + time.nowMs();
  const within = (skewMs: number): number => Math.max(-mostSkewMs, Math.min(mostSkewMs, skewMs));
  return {
    trueMs,
    machine: (firstSkewMs: number): MachineClock => {
      let skewMs = within(firstSkewMs);
      return {
        wallMs: () => trueMs() + skewMs,
        monotonicMs: () => time.nowMs(),
        jump: (byMs) => (skewMs = within(skewMs + byMs)),
      };
    },
  };
};
