import { parentPort, workerData } from 'node:worker_threads';
import type { HistoryTotals } from './history-totals.ts';
import { runHistory } from './run-history.ts';
import { scenarioFrom } from './scenario-from.ts';

/** The seeds of this worker: every `stride`th from `from`, below `to`. */
const { from, to, stride } = workerData as { readonly from: number; readonly to: number; readonly stride: number };

let totals: HistoryTotals = { runs: 0, steps: 0, virtualMs: 0, slowestRecoveryMs: 0, violations: [] };
for (let seed = from; seed < to; seed += stride) {
  const { steps, virtualMs, recoveredInMs, violation } = runHistory(scenarioFrom(seed));
  totals = {
    runs: totals.runs + 1,
    steps: totals.steps + steps,
    virtualMs: totals.virtualMs + virtualMs,
    slowestRecoveryMs: Math.max(totals.slowestRecoveryMs, recoveredInMs ?? 0),
    violations: violation === null ? totals.violations : [...totals.violations, { seed, ...violation }],
  };
}
parentPort?.postMessage(totals);
