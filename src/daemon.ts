import { setTimeout as delay } from 'node:timers/promises';
import { Subject } from 'rxjs';
import { replica } from '../streams/replica.ts';
import type { ReplicaEvent } from '../streams/replica.ts';
import { clusterPaths } from './cluster-paths.ts';
import type { Config } from './config.ts';
import { raiseEvents } from './events.ts';
import type { InCluster } from './kube/in-cluster-credentials.ts';
import type { Logger } from './logger.ts';
import { measure } from './measure.ts';
import { narrate } from './narrate.ts';
import { openOutside } from './open-outside.ts';
import { createMeters } from './probes/meters.ts';
import { startMetrics } from './probes/metrics.ts';
import type { MetricsSnapshot } from './probes/metrics-snapshot.ts';
import { startProbes } from './probes/server.ts';
import { replicaPolicy } from './replica-policy.ts';
import { replicaPorts } from './replica-ports.ts';
import { snapshotOf } from './snapshot-of.ts';
import { initialStanding, nextStanding } from './standing.ts';
import { statusOf } from './status-of.ts';
import { tellOnce } from './tell-once.ts';
import { warnOfMount } from './warn-of-mount.ts';

export interface DaemonSurroundings {
  readonly logger: Logger;
  readonly inCluster: InCluster | null;
  readonly version: string;
  /** Where a relative WEBHOOK_HANDLER starts. */
  readonly directory: string;
}

export interface Daemon {
  /** Settles only when the daemon cannot go on: resolves when no certificate came in time, rejects after a bug. */
  readonly failed: Promise<void>;
  /** Releases the Lease, drains, and closes everything in the reverse order of opening, within SHUTDOWN_GRACE. */
  stop(): Promise<void>;
}

/** New connections are still taken for this long after SIGTERM: the cluster learns of it only then. */
const LINGER_MS = 5_000;
/** A Lease that is not released by then is left to expire. */
const RELEASE_MS = 3_500;

/**
 * One replica, put together and running. The one long-lived subscription of the process is here.
 *
 * @throws Problem when something cannot be opened: the kubeconfig, the handler, the probes' address
 */
export const startDaemon = async (config: Config, surroundings: DaemonSurroundings): Promise<Daemon> => {
  const { logger, version } = surroundings;
  await using opened = new AsyncDisposableStack();
  const meters = createMeters();
  const outside = opened.use(await openOutside(config, surroundings, meters));
  const { admission, client, mount, server } = outside;

  let standing = initialStanding(Date.now());
  let draining = false;
  let reachable = true;
  const failure = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const once = tellOnce();
  const raise = raiseEvents(outside.client, clusterPaths(config), config, logger);
  const count = measure(meters, () => performance.now());
  const observe = (event: ReplicaEvent): void => {
    standing = nextStanding(standing, event, Date.now());
    raise(event);
    count(event);
    for (const { level, message, fields } of narrate(event, config.leaseName).map(once)) logger[level](message, fields);
    if (event.type === 'certificate/timed-out') failure.resolve();
    if (event.type === 'leadership/released') released.resolve();
    if (event.type === 'tick/checked') void admission.reachable().then((up) => (reachable = up));
  };
  const reasons = (): readonly string[] => [
    ...(draining ? ['draining'] : []),
    ...standing.readiness.reasons,
    ...(reachable ? [] : ['upstream-unreachable']),
  ];

  const stop$ = new Subject<void>();
  const ports = replicaPorts(outside, config);
  const { event$ } = replica(ports, replicaPolicy(config), stop$);

  const probes = await startProbes({
    bind: config.probeBind,
    live: () => (subscription.closed ? 'the streams have ended' : null),
    reasons,
    status: () => statusOf(standing, config, reasons()),
  });
  opened.use(probes);
  if (config.metricsBind !== null) {
    const snapshot = (): MetricsSnapshot => snapshotOf(standing, { version, ready: reasons().length === 0 });
    opened.use(await startMetrics({ bind: config.metricsBind, meters, snapshot }));
  }
  const subscription = event$.subscribe({ next: observe, error: failure.reject });
  opened.defer(() => subscription.unsubscribe());
  void warnOfMount(mount, config, logger);

  const everything = opened.move();
  return {
    failed: failure.promise,
    stop: async () => {
      draining = true;
      const release = standing.leading ? Promise.race([released.promise, delay(RELEASE_MS)]) : null;
      stop$.next();
      const lingerMs = server.address === null ? 0 : Math.min(LINGER_MS, config.shutdownGraceMs / 4);
      await Promise.all([release, server.drain(config.shutdownGraceMs, lingerMs)]);
      await everything.disposeAsync();
    },
  };
};
