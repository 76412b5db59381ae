import { parentPort, workerData } from 'node:worker_threads';
import type { Answer, Order } from './explore.ts';
import { partition } from './partition.ts';
import type { Scope } from './scope.ts';

/** Keeps one partition of the states, and expands it when it is told to. */
const { scope, own, count } = workerData as { readonly scope: Scope; readonly own: number; readonly count: number };
const here = partition(scope, own, count);
here.begin();

parentPort?.on('message', (order: Order) => {
  if ('texts' in order) {
    parentPort?.postMessage(here.texts(order.texts));
    return;
  }
  if ('part' in order) {
    parentPort?.postMessage(here.part());
    return;
  }
  const found = here.expand(order.expand);
  parentPort?.postMessage({ found, progress: here.progress() } satisfies Answer);
});
