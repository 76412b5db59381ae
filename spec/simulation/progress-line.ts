import type { HistoryTotals } from './history-totals.ts';

export interface ProgressLine {
  /** Overwrites the line before it. */
  readonly text: (totals: HistoryTotals) => string;
  readonly seconds: () => number;
  /** Takes the line away. */
  readonly end: string;
}

const CLEAR = '\r\u001b[K';

/** How far a run is and how long it will take, for a terminal. */
export const progressLine = (runs: number): ProgressLine => {
  const beganMs = performance.now();
  const seconds = (): number => Math.round((performance.now() - beganMs) / 1_000);
  return {
    text: (totals) => {
      const left = Math.round((seconds() / totals.runs) * (runs - totals.runs));
      return `${CLEAR}${totals.runs} of ${runs} histories, ${totals.violations.length} violations, ${left} s left`;
    },
    seconds,
    end: CLEAR,
  };
};
