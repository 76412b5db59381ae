import type { HistoryTotals } from './history-totals.ts';
import { runHistory } from './run-history.ts';
import { scenarioFrom } from './scenario-from.ts';

/** One history of a run of many. */
export const runSeed = (seed: number, digested: boolean): HistoryTotals => {
  const history = runHistory(scenarioFrom(seed), { digested });
  const { steps, virtualMs, recoveredInMs, violation, isLateRefusal, digest } = history;
  return {
    runs: 1,
    steps,
    virtualMs,
    slowestRecoveryMs: recoveredInMs ?? 0,
    lateRefusals: isLateRefusal ? 1 : 0,
    violations: violation === null ? [] : [{ seed, law: violation.law, what: violation.what }],
    digests: digested ? [{ seed, digest }] : [],
  };
};
