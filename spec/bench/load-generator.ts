import { type KeepAliveCaller, keepAliveCaller } from './keep-alive-caller.ts';
import type { LoadOrder, LoadResult } from './load-protocol.ts';

/** A process of its own, so that it can have a core of its own. Told by IPC what to do, see load-protocol.ts. */
const at = (sorted: Float64Array, share: number): number =>
  sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;

const callUntil = (endMs: number, latenciesMs: number[]) => (connection: KeepAliveCaller) =>
  new Promise<void>((resolve) => {
    const next = () => {
      const sentMs = performance.now();
      connection.call(() => {
        const nowMs = performance.now();
        latenciesMs.push(nowMs - sentMs);
        if (nowMs < endMs) next();
        else resolve();
      });
    };
    next();
  });

const run = async ({ target, connections, ms }: LoadOrder): Promise<LoadResult> => {
  const open = await Promise.all(Array.from({ length: connections }, () => keepAliveCaller(target)));
  const latenciesMs: number[] = [];
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  await Promise.all(open.map(callUntil(startMs + ms, latenciesMs)));
  const tookMs = performance.now() - startMs;
  const { user, system } = process.cpuUsage(cpu);
  for (const connection of open) connection[Symbol.dispose]();
  const sorted = Float64Array.from(latenciesMs).sort();
  return {
    requests: sorted.length,
    requestsPerSecond: sorted.length / (tookMs / 1_000),
    p50Ms: at(sorted, 0.5),
    p99Ms: at(sorted, 0.99),
    generatorBusy: (user + system) / 1_000 / tookMs,
  };
};

process.on('message', (order: LoadOrder) => {
  void run(order).then((result) => process.send?.(result));
});
process.on('disconnect', () => process.exit());
