import type { HistoryTotals } from './history-totals.ts';

const bySeed = (one: { readonly seed: number }, other: { readonly seed: number }): number => one.seed - other.seed;

/** Two runs as one: whoever ran which histories, the sum is the same. */
export const addTotals = (left: HistoryTotals, right: HistoryTotals): HistoryTotals => ({
  runs: left.runs + right.runs,
  steps: left.steps + right.steps,
  virtualMs: left.virtualMs + right.virtualMs,
  slowestRecoveryMs: Math.max(left.slowestRecoveryMs, right.slowestRecoveryMs),
  lateRefusals: left.lateRefusals + right.lateRefusals,
  violations: [...left.violations, ...right.violations].sort(bySeed),
  digests: [...left.digests, ...right.digests].sort(bySeed),
});
