import { setTimeout as delay } from 'node:timers/promises';
import { type Observable, ReplaySubject, Subject, type Subscription, takeUntil } from 'rxjs';
import type { VerifiedPair } from '../../streams/model.ts';
import { Problem } from '../../streams/problem.ts';
import type { Readiness } from '../../streams/readiness.ts';
import { replica, type ReplicaEvent } from '../../streams/replica.ts';
import { type Mount, openMount } from '../certificates/mount.ts';
import { recordEvents } from '../cluster/event-recorder.ts';
import { clusterPaths } from '../cluster/paths.ts';
import { addressText, bindText, upstreamText } from '../config/addresses.ts';
import type { Config } from '../config/config.ts';
import { dedupeLogLines } from '../logging/dedupe-log-lines.ts';
import { logLinesFor } from '../logging/log-lines.ts';
import type { Logger } from '../logging/logger.ts';
import { observationLines } from '../logging/observation-lines.ts';
import { createMetrics, recordMetrics } from '../metrics/metrics.ts';
import { initialState, reduce, unreadyReasons } from '../status/replica-state.ts';
import { stateLines } from '../status/state-lines.ts';
import { mountedLeaf } from '../status/status.ts';
import { monotonicMs } from '../util/time.ts';
import { startObservabilityServers } from './observability-servers.ts';
import { replicaPolicy, replicaPorts } from './ports.ts';
import { type DaemonDependencies, openResources, type StartPhase } from './resources.ts';

export interface Daemon {
  /** Readiness and the served pair. Both observables complete once the daemon has stopped. */
  readonly readiness$: Observable<Readiness>;
  readonly certificate$: Observable<VerifiedPair>;
  /** The port of the webhook; null until the first certificate is served. */
  readonly port: () => number | null;
  /** Resolves when no certificate was served within CERT_TIMEOUT, rejects after a bug, and otherwise never settles. */
  readonly failed: Promise<void>;
  /** Reads the mounted certificate and CLIENT_CA_FILE now instead of at the next tick. */
  refresh(): void;
  /** Releases the Lease, drains, and closes everything in the reverse order of opening, within SHUTDOWN_GRACE. */
  stop(): Promise<void>;
}

/** New connections are accepted for this long after SIGTERM, until the cluster has noticed it. */
const LINGER_MS = 5_000;
/** After this time without a response to the release, the Lease is left to expire. */
const RELEASE_MS = 3_500;
/** A phase of the start that takes longer is logged. */
const SLOW_START_MS = 1_000;

/**
 * Assembles and starts one replica. Holds the only long-lived subscription of the process.
 *
 * The probes listen first: the kubelet would otherwise restart a replica whose handler takes long to load, and nothing
 * would show what the start waits for.
 *
 * @throws Problem when something cannot be opened: the kubeconfig, the handler, the address of the probes
 */
export const startDaemon = async (config: Config, dependencies: DaemonDependencies): Promise<Daemon> => {
  const { logger, version, usage, startedMs = monotonicMs() } = dependencies;
  logger.info('Starting', { ...startFields(config, dependencies), event: 'starting' });
  await using opened = new AsyncDisposableStack();
  const paths = clusterPaths(config);
  const metrics = createMetrics(paths.targets.map(({ id }) => id));
  const mount = openMount(config.certDir, {
    onFailure: (kind, detail) =>
      logger.info('Directory watch is not available, polling', { kind, detail, event: 'directory-watch-unavailable' }),
  });

  let state = initialState(Date.now());
  let phase: StartPhase | null = null;
  let isDraining = false;
  let isUpstreamReachable: boolean | null = null;
  let subscription: Subscription | null = null;
  const changed$ = new Subject<void>();
  const reasons = (): readonly string[] => [
    ...(isDraining ? ['draining'] : []),
    ...(phase === null ? [] : [phase.reason]),
    ...unreadyReasons(state),
    ...(config.upstream === null || isUpstreamReachable === true ? [] : ['upstream-unreachable']),
  ];
  if (dependencies.endpoint === undefined) {
    const live = () => (!isDraining && subscription?.closed === true ? 'the streams have ended' : null);
    const sources = { state: () => state, reasons, live, changed$, metrics, mount, version, usage };
    opened.use(await startObservabilityServers(config, sources));
  }

  const dedupe = dedupeLogLines();
  const observations = observationLines();
  const stateLinesOf = stateLines(config, mountedLeaf(mount));
  const log = (event: ReplicaEvent): void => {
    const { announced, readiness } = state;
    const context = {
      lease: config.leaseName,
      announced: announced?.hash ?? null,
      isServing: readiness.served !== null,
    };
    for (const { level, message, fields, event: id } of [
      ...logLinesFor(event, context).map(dedupe),
      ...observations(event),
      ...stateLinesOf(state),
    ])
      logger[level](message, { ...fields, event: id });
  };
  const { certTimeoutMs } = config;
  const remainingMs = () => (certTimeoutMs === null ? null : Math.max(1, certTimeoutMs - (monotonicMs() - startedMs)));
  const onStartTimeout = (): Problem => {
    const { reason = 'unknown', waitingFor = 'unknown' } = phase ?? {};
    log({ type: 'certificate/timed-out', timeoutMs: certTimeoutMs ?? 0, reason: `${reason}: ${waitingFor}` });
    return new Problem(`not started within CERT_TIMEOUT, waiting for ${waitingFor}`);
  };
  const slow = after(SLOW_START_MS, () =>
    logger.info('Still starting', { waitingFor: phase?.waitingFor, event: 'start-slow' }),
  );
  opened.defer(() => slow[Symbol.dispose]());
  const opening = openResources(config, dependencies, metrics, (next) => (phase = next));
  const resources = opened.use(await openWithin(opening, remainingMs(), onStartTimeout));
  slow[Symbol.dispose]();
  phase = null;
  const { admission, client, server, neighbour, refreshFiles } = resources;

  const failure = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const recordEvent = recordEvents(client, paths, config, logger);
  const recordMetric = recordMetrics(metrics, monotonicMs);
  const checkUpstream = async (): Promise<void> => {
    const reason = await admission.unreachable();
    const isReachable = reason === null;
    if (isReachable === isUpstreamReachable) return;
    isUpstreamReachable = isReachable;
    if (config.upstream !== null) {
      const upstream = upstreamText(config.upstream);
      if (isReachable) logger.info('Upstream reachable', { upstream, event: 'upstream-reachable' });
      else logger.warn('Upstream unreachable', { upstream, reason, event: 'upstream-unreachable' });
    }
    changed$.next();
  };
  const observe = (event: ReplicaEvent): void => {
    state = reduce(state, event, config.identity, Date.now());
    recordEvent(event);
    recordMetric(event);
    log(
      event.type === 'certificate/timed-out'
        ? { ...event, timeoutMs: certTimeoutMs ?? 0, reason: unreadyReasons(state).join(', ') }
        : event,
    );
    changed$.next();
    if (event.type === 'certificate/timed-out') failure.resolve();
    if (event.type === 'leadership/released') released.resolve();
    if (event.type === 'tick/checked') {
      void refreshFiles();
      void checkUpstream();
    }
  };

  const refresh$ = new Subject<void>();
  const stop$ = new Subject<void>();
  const stopped$ = new ReplaySubject<void>(1);
  opened.defer(() => stopped$.next());
  const ports = replicaPorts({ client, mount, server, neighbour, refresh$ }, paths, config);
  const policy = { ...replicaPolicy(config), certTimeoutMs: remainingMs() };
  const { event$, readiness$, certificate$ } = replica(ports, policy, stop$);
  void refreshFiles();
  void checkUpstream();
  const subscribed = (subscription = event$.subscribe({ next: observe, error: failure.reject }));
  opened.defer(() => subscribed.unsubscribe());
  warnOfSubPath(mount, config, logger);

  const everything = opened.move();
  return {
    readiness$: readiness$.pipe(takeUntil(stopped$)),
    certificate$: certificate$.pipe(takeUntil(stopped$)),
    port: () => server.address?.port ?? null,
    failed: failure.promise,
    refresh: () => {
      refresh$.next();
      void refreshFiles();
    },
    stop: async () => {
      isDraining = true;
      changed$.next();
      const release = state.leading ? Promise.race([released.promise, delay(RELEASE_MS)]) : null;
      stop$.next();
      const lingerMs = server.address === null ? 0 : Math.min(LINGER_MS, config.shutdownGraceMs / 4);
      await Promise.all([release, server.drain(config.shutdownGraceMs, lingerMs)]);
      await everything.disposeAsync();
    },
  };
};

/** Warns that a certificate mounted with subPath will never change. */
const warnOfSubPath = (mount: Mount, { certDir, secretName }: Config, logger: Logger): void => {
  if (mount.kind() !== 'sub-path') return;
  logger.warn('Certificate directory is a subPath mount and will never be updated', {
    directory: certDir,
    remedy: `mount Secret ${secretName} as a whole directory, without subPath`,
    event: 'sub-path-mount',
  });
};

/** Runs an action unless the returned resource is disposed before the delay is over. */
export const after = (delayMs: number, action: () => void): Disposable => {
  const timer = setTimeout(action, delayMs);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
};

/**
 * Waits for a resource to open, for a limited time. A resource that opens after the limit is closed again.
 *
 * @param limitMs null: no limit
 * @throws Problem of `onTimeout` after the limit
 */
export const openWithin = async <T extends AsyncDisposable>(
  opening: Promise<T>,
  limitMs: number | null,
  onTimeout: () => Problem,
): Promise<T> => {
  if (limitMs === null) return opening;
  const timeout = Promise.withResolvers<never>();
  const timer = after(limitMs, () => {
    timeout.reject(onTimeout());
    void opening.then(
      (late) => late[Symbol.asyncDispose](),
      () => undefined,
    );
  });
  try {
    return await Promise.race([opening, timeout.promise]);
  } finally {
    timer[Symbol.dispose]();
  }
};

/** Who answers the AdmissionReviews, as the setting names it. */
const answeredBy = ({ serving, upstream, handlerModule }: Config, isGiven: boolean): string => {
  if (serving !== null) return addressText(serving);
  if (upstream !== null) return upstreamText(upstream);
  return isGiven ? 'the embedding program' : (handlerModule ?? 'none');
};

/** What the first log line tells: which program this is, where it listens, and what it keeps. An address not in use is null. */
export const startFields = (
  config: Config,
  { version, handler, endpoint }: Pick<DaemonDependencies, 'version' | 'handler' | 'endpoint'>,
): Readonly<Record<string, unknown>> => {
  const isOwnServer = endpoint === undefined;
  const { webhookBind, probeBind, metricsBind } = config;
  return {
    version,
    identity: config.identity,
    namespace: config.namespace,
    lease: config.leaseName,
    secret: config.secretName,
    service: config.serviceName,
    issuer: config.issuer.name,
    targets: config.caBundleTargets.map(({ type, name }) => `${type}/${name}`),
    answeredBy: answeredBy(config, handler !== undefined),
    webhook: isOwnServer && config.serving === null ? bindText(webhookBind) : null,
    probes: isOwnServer ? bindText(probeBind) : null,
    metrics: isOwnServer && metricsBind !== null ? bindText(metricsBind) : null,
  };
};
