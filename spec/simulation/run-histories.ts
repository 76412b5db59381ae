import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { addTotals } from './add-totals.ts';
import type { HistoryTotals } from './history-totals.ts';
import type { Batch } from './history-worker.ts';

export interface RunOptions {
  readonly workers?: number;
  readonly digested?: boolean;
  readonly progressed?: (totals: HistoryTotals) => void;
}

/** Histories given to a worker at a time, at most: about a second's worth. */
const MOST_BATCHED = 50;

const NOTHING: HistoryTotals = {
  runs: 0,
  steps: 0,
  virtualMs: 0,
  slowestRecoveryMs: 0,
  lateRefusals: 0,
  violations: [],
  digests: [],
};

/** Runs the histories of so many seeds in a row, by default on every core there is. What they come to depends on the seeds alone. */
export const runHistories = async (
  firstSeed: number,
  runs: number,
  { workers = availableParallelism(), digested = false, progressed = () => undefined }: RunOptions = {},
): Promise<HistoryTotals> => {
  const batch = Math.max(1, Math.min(MOST_BATCHED, Math.floor(runs / workers)));
  let totals = NOTHING;
  let next = firstSeed;
  const end = firstSeed + runs;

  const take = (): Batch | null => {
    const seeds = Array.from({ length: Math.min(batch, end - next) }, (_, at) => next + at);
    next += seeds.length;
    return seeds.length === 0 ? null : { seeds, digested };
  };

  const work = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('./history-worker.ts', import.meta.url));
      const give = (): void => {
        const seeds = take();
        if (seeds !== null) worker.postMessage(seeds);
        else {
          worker.removeAllListeners('exit');
          void worker.terminate().then(() => resolve());
        }
      };
      worker.on('message', (done: HistoryTotals) => {
        totals = addTotals(totals, done);
        progressed(totals);
        give();
      });
      worker.once('error', reject);
      worker.once('exit', (code) => reject(new Error(`a worker ended with ${code}`)));
      give();
    });

  await Promise.all(Array.from({ length: Math.min(workers, runs) }, work));
  return totals;
};
