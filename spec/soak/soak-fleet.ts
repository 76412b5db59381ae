import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { filter, firstValueFrom, timeout } from 'rxjs';
import { type DemoCluster, startCluster } from '../../src/demo/cluster.ts';
import { type Fleet, followFleet, startReplica } from '../../src/demo/fleet.ts';
import { freePorts } from '../../src/demo/run-demo.ts';
import { containedHeap, entrypoint, imageEnv } from '../bench/programs.ts';
import { build, buildStart } from '../support/build.ts';
import { fillCodeCache } from '../support/fill-code-cache.ts';
import { type Sample, sample } from './sample.ts';

/** Three replicas of the bundle that production runs, on the embedded cluster. */
export interface SoakFleet extends AsyncDisposable {
  readonly cluster: DemoCluster;
  readonly fleet: Fleet;
  samples(): readonly Sample[];
  /** MiB that are left of each replica's heap, buffers included, once all garbage has been collected. */
  heapsMiB(): Promise<readonly number[]>;
}

const NAMES = ['replica-0', 'replica-1', 'replica-2'];
const KUBELET_DELAY_MS = 500;
const root = new URL('../../', import.meta.url);

/** Resolves once every replica serves the same certificate and is ready. */
export const startSoakFleet = async (): Promise<SoakFleet> => {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'webhook-certd-soak-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const outfile = join(folder, 'webhook-certd.js');
  await build({ entry: fileURLToPath(new URL('src/main.ts', root)), outfile, sourcemap: false });
  // No TypeScript in a replica: what strips its types would hold 8 MiB of it.
  const preload = join(folder, 'heap-on-signal.cjs');
  const entry = fileURLToPath(new URL('heap-on-signal.ts', import.meta.url));
  await build({ entry, outfile: preload, sourcemap: false });
  await buildStart(folder);
  const flags = [containedHeap, ...entrypoint().slice(1, -1)];
  await fillCodeCache(folder, flags);
  const program = { node: process.execPath, flags, script: join(folder, 'start.cjs') };

  const cluster = opened.use(await startCluster(NAMES, KUBELET_DELAY_MS));
  const ports = await freePorts(2 * NAMES.length);
  const replicas = NAMES.map((name, at) => {
    const [webhookPort = 0, probePort = 0] = ports.slice(2 * at);
    const env = { ...imageEnv(), ...cluster.replicaEnv(name), NODE_OPTIONS: `--require=${preload}` };
    return opened.use(startReplica({ name, webhookPort, probePort, env }, program));
  });
  const fleet = opened.use(followFleet(replicas, () => undefined));
  await fleet.until(() => fleet.servedByAll() !== null && fleet.endpoints().length === NAMES.length, 60_000);

  const everything = opened.move();
  return {
    cluster,
    fleet,
    samples: () => replicas.map(({ pid }) => sample(pid)),
    heapsMiB: () =>
      Promise.all(
        replicas.map(async ({ line$, pid }) => {
          const line = firstValueFrom(
            line$.pipe(
              filter(({ message }) => message === 'Heap'),
              timeout(30_000),
            ),
          );
          process.kill(pid, 'SIGUSR2');
          return Math.round(Number((await line)['bytes']) / 104_857.6) / 10;
        }),
      ),
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
};
