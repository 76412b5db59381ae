import { setTimeout as delay } from 'node:timers/promises';
import { type Observable, ReplaySubject, Subject, takeUntil } from 'rxjs';
import type { VerifiedPair } from '../../streams/model.ts';
import type { Readiness } from '../../streams/readiness.ts';
import { replica, type ReplicaEvent } from '../../streams/replica.ts';
import type { Mount } from '../certificates/mount.ts';
import { recordEvents } from '../cluster/event-recorder.ts';
import { clusterPaths } from '../cluster/paths.ts';
import type { Config } from '../config/config.ts';
import { dedupeLogLines } from '../logging/dedupe-log-lines.ts';
import { logLinesFor } from '../logging/log-lines.ts';
import type { Logger } from '../logging/logger.ts';
import { observationLines } from '../logging/observation-lines.ts';
import { createMetrics } from '../metrics/metrics.ts';
import { recordMetrics } from '../metrics/record.ts';
import { initialState, reduce } from '../status/replica-state.ts';
import { monotonicMs } from '../util/time.ts';
import { startObservabilityServers } from './observability-servers.ts';
import { replicaPolicy, replicaPorts } from './ports.ts';
import { type DaemonDependencies, openResources } from './resources.ts';

export interface Daemon {
  /** Whether and what is served. Completes once stopped; so does the next. */
  readonly readiness$: Observable<Readiness>;
  readonly certificate$: Observable<VerifiedPair>;
  /** The webhook's port; null until the first certificate is served. */
  readonly port: () => number | null;
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
export const startDaemon = async (config: Config, surroundings: DaemonDependencies): Promise<Daemon> => {
  const { logger, version } = surroundings;
  await using opened = new AsyncDisposableStack();
  const { targets } = clusterPaths(config);
  const meters = createMetrics(targets.map(({ id }) => id));
  const outside = opened.use(await openResources(config, surroundings, meters));
  const { admission, mount, server, look } = outside;

  let standing = initialState(Date.now());
  let draining = false;
  let reachable: boolean | null = null;
  const failure = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const once = dedupeLogLines();
  const observations = observationLines();
  const raise = recordEvents(outside.client, clusterPaths(config), config, logger);
  const count = recordMetrics(meters, monotonicMs);
  const changed$ = new Subject<void>();
  const lookAround = async (): Promise<void> => {
    void look();
    const up = await admission.reachable();
    if (up === reachable) return;
    reachable = up;
    if (config.upstream !== null) logger[up ? 'info' : 'warn'](up ? 'Upstream reachable' : 'Upstream unreachable');
    changed$.next();
  };
  const observe = (event: ReplicaEvent): void => {
    standing = reduce(standing, event, config.identity, Date.now());
    raise(event);
    count(event);
    const lines = logLinesFor(event, config.leaseName, standing.announced?.hash ?? null).map(once);
    for (const { level, message, fields } of [...lines, ...observations(event)]) logger[level](message, fields);
    changed$.next();
    if (event.type === 'certificate/timed-out') failure.resolve();
    if (event.type === 'leadership/released') released.resolve();
    if (event.type === 'tick/checked') void lookAround();
  };
  const reasons = (): readonly string[] => [
    ...(draining ? ['draining'] : []),
    ...standing.readiness.reasons,
    ...(reachable === true ? [] : ['upstream-unreachable']),
  ];

  const stop$ = new Subject<void>();
  const stopped$ = new ReplaySubject<void>(1);
  opened.defer(() => stopped$.next());
  const ports = replicaPorts(outside, config);
  const { event$, readiness$, certificate$ } = replica(ports, replicaPolicy(config), stop$);

  if (surroundings.face === undefined) {
    const live = () => (subscription.closed ? 'the streams have ended' : null);
    const viewed = { standing: () => standing, reasons, live, changed$, meters, mount, version };
    opened.use(await startObservabilityServers(config, viewed));
  }
  void lookAround();
  const subscription = event$.subscribe({ next: observe, error: failure.reject });
  opened.defer(() => subscription.unsubscribe());
  warnOfMount(mount, config, logger);

  const everything = opened.move();
  return {
    readiness$: readiness$.pipe(takeUntil(stopped$)),
    certificate$: certificate$.pipe(takeUntil(stopped$)),
    port: () => server.address?.port ?? null,
    failed: failure.promise,
    stop: async () => {
      draining = true;
      changed$.next();
      const release = standing.leading ? Promise.race([released.promise, delay(RELEASE_MS)]) : null;
      stop$.next();
      const lingerMs = server.address === null ? 0 : Math.min(LINGER_MS, config.shutdownGraceMs / 4);
      await Promise.all([release, server.drain(config.shutdownGraceMs, lingerMs)]);
      await everything.disposeAsync();
    },
  };
};

/** Says at start what is wrong with the mount itself: a subPath never receives another certificate. */
const warnOfMount = (mount: Mount, { certDir, secretName }: Config, logger: Logger): void => {
  if (mount.kind() !== 'sub-path') return;
  logger.warn('Certificate directory is a subPath mount and will never be updated', {
    directory: certDir,
    remedy: `mount Secret ${secretName} as a whole directory, without subPath`,
  });
};
