import { setTimeout as sleep } from 'node:timers/promises';
import { firstValueFrom } from 'rxjs';
import { openKubeClient } from '../../src/kube/client.ts';

/** ConfigMaps created one after the other through the API server, each of which it asks the webhook about. */
export interface Creates extends AsyncDisposable {
  readonly count: number;
  /** When and why, for each that was refused. */
  readonly failures: readonly { readonly at: string; readonly reason: string }[];
}

/** No create at all: what a day begins with. */
export const noCreates: Creates = { count: 0, failures: [], [Symbol.asyncDispose]: () => Promise.resolve() };

/** Prints how many creates there have been, and each that failed. */
export const printCreates = ({ count, failures }: Creates): void => {
  process.stdout.write(`      creates so far ${count}, failed ${failures.length}\n`);
  for (const { at, reason } of failures) process.stdout.write(`      ${at} ${reason}\n`);
};

const CALLERS = 4;

/** @param namespace whose objects the webhook is asked about */
export const keepCreating = async (kubeconfig: string, namespace: string): Promise<Creates> => {
  const client = await openKubeClient({ kubeconfig, userAgent: 'webhook-certd-e2e' });
  const failures: { at: string; reason: string }[] = [];
  let [count, going] = [0, true];

  const caller = async (): Promise<void> => {
    while (going) {
      const metadata = { generateName: 'e2e-', labels: { 'webhook-certd/validate': 'true' } };
      const path = `/api/v1/namespaces/${namespace}/configmaps`;
      // A dry run is admitted like any other create, and leaves nothing behind.
      const request = {
        method: 'POST',
        path,
        query: { dryRun: 'All' },
        body: { apiVersion: 'v1', kind: 'ConfigMap', metadata },
      } as const;
      try {
        await firstValueFrom(client.send(request));
      } catch (error) {
        failures.push({ at: new Date().toISOString(), reason: error instanceof Error ? error.message : String(error) });
      }
      count += 1;
      await sleep(10);
    }
  };
  const callers = Promise.all(Array.from({ length: CALLERS }, caller));
  return {
    get count() {
      return count;
    },
    failures,
    [Symbol.asyncDispose]: async () => {
      going = false;
      await callers;
      await client[Symbol.asyncDispose]();
    },
  };
};
