import type { RequestListener } from 'node:http';
import type { Config, ServingAddress, Upstream } from '../config/config.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Logger } from '../logging/logger.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { ProcessUsage } from '../metrics/process-usage.ts';
import { monotonicMs } from '../util/time.ts';
import type { HandlerExport } from '../webhook/admission-types.ts';
import type { Neighbour } from '../webhook/neighbour.ts';
import type { Kill } from '../webhook/reload.ts';
import type { OnAnswered } from '../webhook/request.ts';
import type { TlsEndpoint } from '../webhook/serving.ts';

/** What the daemon needs beside its configuration. */
export interface DaemonDependencies {
  readonly logger: Logger;
  /** Rejects with an `ApiError` when the configuration does not say how to reach the API server. */
  readonly client: () => Promise<KubeClient>;
  readonly version: string;
  /** The directory that a relative WEBHOOK_HANDLER is resolved from. */
  readonly directory: string;
  /** Start of the process on the monotonic clock, from which CERT_TIMEOUT counts; default: now. */
  readonly startedMs?: number;
  /** Sends the signal of RELOAD. */
  readonly kill?: Kill;
  /** What the process uses, for its metrics; absent where the process is the embedder's. */
  readonly usage?: () => Promise<ProcessUsage>;
  /** Answers the requests instead of WEBHOOK_HANDLER or UPSTREAM_URL. */
  readonly handler?: HandlerExport<never>;
  /** Serves the certificates instead of the webhook's own server. Probes and metrics are then left to the embedder. */
  readonly endpoint?: TlsEndpoint;
}

/** The API client, the admission side and the TLS server of a replica. */
export interface Resources extends AsyncDisposable {
  readonly client: KubeClient;
  readonly admission: AdmissionSide;
  readonly server: TlsEndpoint;
  /** The server at SERVING_ADDRESS, which terminates TLS in the place of `server`; null without one. */
  readonly neighbour: Neighbour | null;
  /** Reads files other than the certificate again, such as CLIENT_CA_FILE. Called at each tick. */
  readonly refreshFiles: () => Promise<unknown>;
}

/** Something that the start waits for and that may take arbitrarily long, since other people's code does it. */
export interface StartPhase {
  /** The reason for which the replica is not ready. */
  readonly reason: 'credentials-loading' | 'handler-loading';
  /** For the log. */
  readonly waitingFor: string;
}

/**
 * Opens the resources. Nothing listens yet.
 *
 * @param onPhase called before each phase that may take long
 * @throws Problem when the kubeconfig, the handler or CLIENT_CA_FILE cannot be used
 */
export const openResources = async (
  config: Config,
  dependencies: DaemonDependencies,
  metrics: Metrics,
  onPhase: (phase: StartPhase) => void,
): Promise<Resources> => {
  await using opened = new AsyncDisposableStack();

  onPhase({ reason: 'credentials-loading', waitingFor: 'the credentials of the Kubernetes API' });
  const client = opened.use(await dependencies.client());
  client.response$.subscribe(({ verb, resource, code }) => metrics.apiRequests.add(verb, resource, String(code ?? 0)));

  if (config.serving !== null) {
    const neighbour = await openNeighbour(config.serving, config, dependencies);
    const closing = opened.move();
    return { client, ...NO_SERVER, neighbour, [Symbol.asyncDispose]: () => closing.disposeAsync() };
  }

  onPhase({ reason: 'handler-loading', waitingFor: `WEBHOOK_HANDLER ${config.handlerModule ?? ''}` });
  const admission = opened.use(
    await openAdmission(config, dependencies, (outcome, elapsedMs) => {
      metrics.admissionRequests.add(outcome);
      metrics.admissionDuration.observe(elapsedMs / 1000);
    }),
  );
  const { server, refreshFiles } =
    dependencies.endpoint === undefined
      ? await openWebhookServer(config, dependencies.logger, metrics, admission.answer)
      : { server: dependencies.endpoint, refreshFiles: () => Promise.resolve() };

  const everything = opened.move();
  return {
    client,
    admission,
    server,
    neighbour: null,
    refreshFiles,
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
};

/** Where another server terminates TLS, nothing of this process listens for calls. */
const NO_SERVER: Pick<Resources, 'admission' | 'server' | 'refreshFiles'> = {
  admission: {
    answer: () => undefined,
    unreachable: () => Promise.resolve(null),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  },
  server: {
    serve: () => Promise.resolve(),
    retire: () => undefined,
    handshake: () => Promise.reject(new Error('no server of this process')),
    drain: () => Promise.resolve(),
    address: null,
  },
  refreshFiles: () => Promise.resolve(),
};

const openNeighbour = async (
  address: ServingAddress,
  { reload, serviceName, namespace, issuer }: Config,
  { logger, kill }: DaemonDependencies,
): Promise<Neighbour> => {
  const [{ neighbour }, { reloader }] = await Promise.all([
    import('../webhook/neighbour.ts'),
    import('../webhook/reload.ts'),
  ]);
  const signal: Kill = (pid, name) => {
    if (kill === undefined) throw new Error(`${name} cannot be sent to ${pid} here`);
    kill(pid, name);
  };
  return neighbour({
    address,
    servername: `${serviceName}.${namespace}.svc`,
    verifies: issuer.enforcesClientRules,
    reloader: reload === null ? null : reloader({ reload, kill: signal, nowMs: monotonicMs }),
    onProven: ({ hash }, handshakes) =>
      logger.info('Neighbour shows the announced certificate', { hash, handshakes, event: 'neighbour-proven' }),
  });
};

/** Answers the AdmissionReviews: a handler in this process, or the server at UPSTREAM_URL. */
interface AdmissionSide extends AsyncDisposable {
  readonly answer: RequestListener;
  /** Why the upstream accepts no connections; null when it does, and without one. */
  unreachable(): Promise<string | null>;
}

/** @throws Problem when the handler cannot be loaded */
const openAdmission = (
  config: Config,
  dependencies: DaemonDependencies,
  onAnswered: OnAnswered,
): Promise<AdmissionSide> => {
  const { handlerModule, upstream } = config;
  if (handlerModule !== null || dependencies.handler !== undefined)
    return hostHandler(config, dependencies, onAnswered);
  if (upstream === null) throw new Error('the configuration names neither handler nor upstream');
  return forwardTo(upstream, config, dependencies.logger, onAnswered);
};

const hostHandler = async (
  config: Config,
  { logger, directory, handler }: DaemonDependencies,
  onAnswered: OnAnswered,
): Promise<AdmissionSide> => {
  const [{ createAdmission }, { loadHandler, routes }] = await Promise.all([
    import('../webhook/admission.ts'),
    import('../webhook/load-handler.ts'),
  ]);
  const route =
    handler === undefined ? await loadHandler(config.handlerModule ?? '', directory) : routes(handler, 'the handler');
  return {
    answer: createAdmission({ route, maxRequestBytes: config.maxRequestBytes, log: logger, onAnswered }),
    unreachable: () => Promise.resolve(null),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
};

const forwardTo = async (
  upstream: Upstream,
  config: Config,
  logger: Logger,
  onAnswered: OnAnswered,
): Promise<AdmissionSide> => {
  const { createUpstream } = await import('../webhook/upstream.ts');
  return createUpstream({
    upstream,
    timeoutMs: config.upstreamTimeoutMs,
    maxRequestBytes: config.maxRequestBytes,
    onAnswered,
    onFault: (status, reason, suppressed) =>
      logger.warn('Upstream failed', { status, reason, suppressed, event: 'upstream-failed' }),
    onRefused: (status, reason, suppressed) =>
      logger.warn('Admission request refused', { status, reason, suppressed, event: 'admission-refused' }),
  });
};

/**
 * The webhook's own TLS server with its client CA. It does not listen before it has a certificate.
 *
 * @throws Problem when CLIENT_CA_FILE cannot be used
 */
const openWebhookServer = async (
  config: Config,
  logger: Logger,
  metrics: Metrics,
  answer: RequestListener,
): Promise<Pick<Resources, 'server' | 'refreshFiles'>> => {
  // Not loaded where another server terminates TLS.
  const [{ createWebhookServer }, { openClientCa }] = await Promise.all([
    import('../webhook/server.ts'),
    import('../webhook/client-ca.ts'),
  ]);
  const { clientCaFile: file } = config;
  const clientCa =
    file === null
      ? null
      : await openClientCa(file, {
          onChange: (pem) => {
            server.trustClients(pem);
            logger.info('Client CA bundle changed', { file, event: 'client-ca-changed' });
          },
          onProblem: (reason) =>
            logger.warn('Client CA bundle rejected, keeping the one in use', {
              file,
              reason,
              event: 'client-ca-rejected',
            }),
        });
  const server = createWebhookServer({
    bind: config.webhookBind,
    tlsMinVersion: config.tlsMinVersion,
    clientCa: clientCa?.pem ?? null,
    answer,
    onConnectionError: ({ kind, reason, emit, suppressed }) => {
      metrics.connectionErrors.add(kind);
      // A peer that disconnects during its handshake is normal, for example a port scan.
      const level = kind === 'handshake-aborted' ? 'debug' : 'warn';
      if (emit) logger[level]('Connection error', { kind, reason, suppressed, event: 'connection-error' });
    },
  });
  return { server, refreshFiles: () => clientCa?.read() ?? Promise.resolve() };
};
