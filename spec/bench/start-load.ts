import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { LoadOrder, LoadResult } from './load-protocol.ts';

export interface Load extends AsyncDisposable {
  readonly pid: number;
  /** One at a time. */
  run(order: LoadOrder): Promise<LoadResult>;
}

/** Starts the load generator in a process of its own. */
export const startLoad = (): Load => {
  const child = fork(fileURLToPath(new URL('load-generator.ts', import.meta.url)));
  const ended = once(child, 'exit');
  const failed = ended.then(() => Promise.reject(new Error('the load generator has ended, its stderr says why')));
  failed.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    run: async (order) => {
      const replied = once(child, 'message') as Promise<[LoadResult]>;
      child.send(order);
      const [result] = await Promise.race([replied, failed]);
      return result;
    },
    [Symbol.asyncDispose]: async () => {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
};
