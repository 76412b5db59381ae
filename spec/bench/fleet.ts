import {
  BehaviorSubject,
  concatMap,
  debounceTime,
  filter,
  firstValueFrom,
  interval,
  map,
  merge,
  NEVER,
  of,
  skip,
  Subject,
  tap,
  throwError,
  timeout,
} from 'rxjs';
import { type Mount, openMount } from '../../src/certificates/mount.ts';
import { clusterPaths } from '../../src/cluster/paths.ts';
import { type Config, parseConfig } from '../../src/config/config.ts';
import { replicaPolicy, replicaPorts } from '../../src/daemon/ports.ts';
import { openKubeClient } from '../../src/kube/client.ts';
import type { InCluster } from '../../src/kube/in-cluster.ts';
import type { TlsEndpoint } from '../../src/webhook/serving.ts';
import type { VolumeSnapshot } from '../../streams/model.ts';
import { replica, type ReplicaStreams } from '../../streams/replica.ts';
import type { FleetOrder, FleetReply } from './fleet-cluster.ts';

/** Serves nothing, and finds what it was given. */
const noFace = (): TlsEndpoint => {
  let fingerprint = '';
  return {
    serve: (pair) => Promise.resolve((fingerprint = pair.leaf.fingerprint)),
    handshake: () => Promise.resolve({ fingerprint }),
    retire: () => undefined,
    drain: () => Promise.resolve(),
    address: null,
  };
};

/**
 * A replica as the daemon runs it, less what makes it a process: the real streams, the real client with connections of
 * its own, the real checks of a certificate, election and issuance; no TLS server, probes, metrics or log.
 */
export const fleetReplica = async (config: Config, inCluster: InCluster, mount: Mount): Promise<ReplicaStreams> => {
  const client = await openKubeClient({ kubeconfig: null, inCluster, userAgent: 'webhook-certd/fleet' });
  return replica(
    replicaPorts({ client, mount, server: noFace(), neighbour: null, refresh$: NEVER }, clusterPaths(config), config),
    replicaPolicy(config),
    new Subject(),
  );
};

const nothing: VolumeSnapshot = { generation: '', hash: null, problem: null };

export interface SharedMount extends Disposable {
  readonly mount: Mount;
}

/**
 * One mounted directory for many replicas of one process, read once for all of them: a machine with a thousand of them
 * on one disk is nothing that exists.
 */
export const sharedMount = (directory: string): SharedMount => {
  const mount = openMount(directory);
  const reading$ = new BehaviorSubject(nothing);
  const subscription = merge(of('first'), mount.moved$.pipe(debounceTime(5)), interval(1_000))
    .pipe(concatMap(() => mount.read()))
    .subscribe((reading) => {
      if (reading.generation !== reading$.value.generation) reading$.next(reading);
    });
  return {
    mount: {
      ...mount,
      // What moves is told by `moved$`.
      isUnmoved: () => true,
      read: () => of(reading$.value),
      moved$: reading$.pipe(
        skip(1),
        map(() => undefined),
      ),
    },
    [Symbol.dispose]: () => subscription.unsubscribe(),
  };
};

/** Many replicas in a process of their own, told by IPC what to do. */
const AT_ONCE = 10;
const READY_WITHIN_MS = 180_000;
const mounts = new Map<string, Mount>();
const tell = (reply: FleetReply): void => void process.send?.(reply);

const configOf = (env: FleetOrder['env'], name: string): Config => {
  const read = { namespace: () => null, hostname: () => name };
  const parsed = parseConfig({ env: { ...env, POD_NAME: name }, flags: new Map(), serves: false, read });
  if (!parsed.ok) throw new Error(parsed.problems.join('\n'));
  return parsed.config;
};

const mountOf = (directory: string): Mount => {
  const mount = mounts.get(directory) ?? sharedMount(directory).mount;
  mounts.set(directory, mount);
  return mount;
};

const addOne = async ({ env, account, host, port }: FleetOrder, name: string): Promise<void> => {
  const config = configOf(env, name);
  const inCluster = { host, port: String(port), directory: account };
  const { event$, readiness$ } = await fleetReplica(config, inCluster, mountOf(config.certDir));
  event$.subscribe();
  let reasons: readonly string[] = [];
  const ready$ = readiness$.pipe(
    tap((now) => (reasons = now.reasons)),
    filter(({ ready }) => ready),
    timeout({ first: READY_WITHIN_MS, with: () => throwError(() => new Error(`${name}: ${reasons.join()}`)) }),
  );
  await firstValueFrom(ready$);
};

const add = async (order: FleetOrder): Promise<FleetReply> => {
  for (let from = 0; from < order.names.length; from += AT_ONCE)
    await Promise.all(order.names.slice(from, from + AT_ONCE).map((name) => addOne(order, name)));
  return { type: 'added' };
};

process.on('message', (order: FleetOrder) => void add(order).then(tell));
process.on('disconnect', () => process.exit());
