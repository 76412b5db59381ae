import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { listen } from '../util/listen.ts';
import { startCaller } from './caller.ts';
import { demoNames, startCluster } from './cluster.ts';
import { followFleet } from './fleet.ts';
import { startFleetPage } from './fleet-page.ts';
import { type Program, startReplica } from './start-replica.ts';
import { timeline } from './timeline.ts';

const CALL_EVERY_MS = 10;
const ROTATE_EVERY_MS = 20_000;
const FIRST_ROTATION_MS = 3_000;
/** Longest anything may take beside the kubelet's delay. */
const PATIENCE_MS = 60_000;
/** Every third rotation is one of the CA. */
const kindOf = (rotation: number): 'leaf' | 'ca' => (rotation % 3 === 0 ? 'ca' : 'leaf');

/**
 * Replicas, an API server, kubelets and a caller on this machine, and a rotation every 20 s before your eyes.
 *
 * @returns the exit code: 1 when a call failed or a rotation did not end
 */
export const runDemo = async (options: DemoOptions, { program, print, stopped }: DemoSurroundings): Promise<number> => {
  await using opened = new AsyncDisposableStack();
  const { say, tell } = timeline(Date.now(), print);
  const names = Array.from({ length: options.replicas }, (_, at) => `replica-${at}`);
  const patienceMs = PATIENCE_MS + options.kubeletDelayMs;

  const cluster = opened.use(await startCluster(names, options.kubeletDelayMs));
  const free = await freePorts(2 * names.length);
  const replicas = names.map((name, at) => {
    const place = {
      name,
      webhookPort: free[2 * at + 1] ?? 0,
      probePort: free[2 * at] ?? 0,
      env: cluster.replicaEnv(name),
    };
    return opened.use(startReplica(place, program));
  });
  const fleet = opened.use(followFleet(replicas, tell));
  const { port } = opened.use(await startFleetPage(replicas, options.port ?? 0));
  say('you', `watch all replicas at http://127.0.0.1:${port}/`);
  for (const { name, probePort } of replicas) say(name, `has its own page at http://127.0.0.1:${probePort}/`);
  say('kubelet', `delivers a changed Secret after ${options.kubeletDelayMs / 1000} s, at once when nudged`);

  const caller = opened.use(
    startCaller({
      caBundle$: cluster.caBundle$,
      endpoints: fleet.endpoints,
      serverName: `${demoNames.service}.${demoNames.namespace}.svc`,
      everyMs: CALL_EVERY_MS,
      onFailure: ({ name }, reason) => say('caller', `CALL FAILED at ${name}: ${reason}`),
    }),
  );

  const rotate = async (rotation: number): Promise<void> => {
    const what = kindOf(rotation);
    const [before, narrowed] = [fleet.servedByAll(), fleet.narrowed];
    say('you', `rotation ${rotation}: ask for a new ${what === 'ca' ? 'CA' : 'certificate'}`);
    await cluster.rotate(what);
    const done = (): boolean => {
      const now = fleet.servedByAll();
      return now !== null && now !== before && (what === 'leaf' || fleet.narrowed > narrowed);
    };
    await fleet.until(done, patienceMs);
    say('caller', `rotation ${rotation} done; calls so far ${caller.calls}, failed ${caller.failed}`);
  };

  const everybodyServes = (): boolean => fleet.servedByAll() !== null && fleet.endpoints().length === names.length;
  const over = new AbortController();
  const story = async (): Promise<void> => {
    await fleet.until(everybodyServes, patienceMs);
    say('caller', 'every replica is ready; calls go on all the time from here');
    firstLoads = fleet.adoptionsMs.length;
    await delay(FIRST_ROTATION_MS, undefined, { signal: over.signal });
    for (let next = 1; next <= (options.rotations ?? Infinity); next += 1) {
      // Unreferenced: nobody waits for the pause after the last one.
      const started = delay(ROTATE_EVERY_MS, undefined, { ref: false });
      await rotate(next);
      rotations = next;
      if (next !== options.rotations) await started;
    }
  };

  let rotations = 0;
  let firstLoads = 0;
  let troubles = 0;
  await Promise.race([stopped, story()]).catch((error: unknown) => {
    troubles += 1;
    say('demo', `gave up waiting: ${error instanceof Error ? error.message : String(error)}`);
  });
  over.abort();
  caller[Symbol.dispose]();

  const { calls, failed } = caller;
  const adoptions = fleet.adoptionsMs.slice(firstLoads);
  const adoptionMs = { median: percentile(adoptions, 0.5), p99: percentile(adoptions, 0.99) };
  say('caller', `${calls} calls, ${failed} failed, ${rotations} rotations`);
  // All at once, so that nobody takes over for a moment.
  for (const each of replicas) each.stop();
  await opened.disposeAsync();
  if (options.json) print(JSON.stringify({ replicas: options.replicas, rotations, calls, failed, adoptionMs }));
  return failed > 0 || troubles > 0 ? 1 : 0;
};

interface DemoOptions {
  readonly replicas: number;
  /** Null: until stopped. */
  readonly rotations: number | null;
  readonly kubeletDelayMs: number;
  /** Of the status page with all replicas; null or 0: any that is free. */
  readonly port: number | null;
  readonly json: boolean;
}

interface DemoSurroundings {
  readonly program: Program;
  readonly print: (text: string) => void;
  /** Settles when somebody wants it to end. */
  readonly stopped: Promise<void>;
}

/** The value that a share of all values does not exceed (nearest rank); null of nothing. */
export const percentile = (values: readonly number[], share: number): number | null => {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
};

/** Loopback ports that are free now, all different. */
export const freePorts = async (count: number): Promise<readonly number[]> => {
  const servers = Array.from({ length: count }, () => createServer());
  const addresses: readonly AddressInfo[] = await Promise.all(
    servers.map((server) => listen(server, { host: '127.0.0.1', port: 0 })),
  );
  await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  return addresses.map(({ port }) => port);
};
