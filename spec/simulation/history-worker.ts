import { parentPort } from 'node:worker_threads';
import { addTotals } from './add-totals.ts';
import { runSeed } from './run-seed.ts';

/** A worker is given some seeds, answers with what they came to, and is given the next. */
export interface Batch {
  readonly seeds: readonly number[];
  readonly digested: boolean;
}

parentPort?.on('message', ({ seeds, digested }: Batch) => {
  parentPort?.postMessage(seeds.map((seed) => runSeed(seed, digested)).reduce(addTotals));
});
