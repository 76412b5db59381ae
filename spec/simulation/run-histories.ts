import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { HistoryTotals } from './history-totals.ts';

const share = (workerData: { from: number; to: number; stride: number }): Promise<HistoryTotals> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./history-worker.ts', import.meta.url), { workerData });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`a worker ended with ${code}`)));
  });

/** Runs the histories of so many seeds in a row, on every core there is. */
export const runHistories = async (firstSeed: number, runs: number): Promise<HistoryTotals> => {
  const stride = Math.min(availableParallelism(), runs);
  const shares = Array.from({ length: stride }, (_, at) =>
    share({ from: firstSeed + at, to: firstSeed + runs, stride }),
  );
  return (await Promise.all(shares)).reduce((left, right) => ({
    runs: left.runs + right.runs,
    steps: left.steps + right.steps,
    virtualMs: left.virtualMs + right.virtualMs,
    slowestRecoveryMs: Math.max(left.slowestRecoveryMs, right.slowestRecoveryMs),
    violations: [...left.violations, ...right.violations].sort((one, other) => one.seed - other.seed),
  }));
};
