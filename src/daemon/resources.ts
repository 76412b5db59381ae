import type { RequestListener } from 'node:http';
import { type Mount, openMount } from '../certificates/mount.ts';
import type { Config, Upstream } from '../config/config.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Logger } from '../logging/logger.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { HandlerExport } from '../webhook/admission-types.ts';
import { openClientCa } from '../webhook/client-ca.ts';
import type { OnAnswered } from '../webhook/request.ts';
import { createWebhookServer } from '../webhook/server.ts';
import type { TlsEndpoint } from '../webhook/tls-endpoint.ts';

/** What a replica deals with: the API server, who answers reviews, the mounted Secret, the TLS server. */
export interface Resources extends AsyncDisposable {
  readonly client: KubeClient;
  readonly admission: AdmissionSide;
  readonly mount: Mount;
  readonly server: TlsEndpoint;
  /** Looks again at what may have changed beside the certificate: at each tick. */
  readonly look: () => Promise<unknown>;
}

/**
 * Opens it all, counted by the meters and told to the logger. Nothing listens yet.
 *
 * @throws Problem when the kubeconfig, the handler or CLIENT_CA_FILE cannot be used
 */
export const openResources = async (
  config: Config,
  surroundings: DaemonDependencies,
  meters: Metrics,
): Promise<Resources> => {
  const { logger } = surroundings;
  await using opened = new AsyncDisposableStack();

  const client = opened.use(await surroundings.client());
  client.response$.subscribe(({ verb, resource, code }) => meters.apiRequests.add(verb, resource, String(code ?? 0)));
  const admission = opened.use(
    await openAdmissionSide(config, surroundings, (outcome, elapsedMs) => {
      meters.admissionRequests.add(outcome);
      meters.admissionDuration.observe(elapsedMs / 1000);
    }),
  );
  const { server, look } =
    surroundings.face === undefined
      ? await openWebhookServer(config, logger, meters, admission.answer)
      : { server: surroundings.face, look: () => Promise.resolve() };

  const mount = openMount(config.certDir, {
    onTrouble: (kind, detail) => logger.info('Directory watch is not available, polling', { kind, detail }),
  });
  const everything = opened.move();
  return { client, admission, mount, server, look, [Symbol.asyncDispose]: () => everything.disposeAsync() };
};

interface OpenWebhookServer {
  readonly server: TlsEndpoint;
  /** Looks again at what may have changed beside the certificate: at each tick. */
  readonly look: () => Promise<unknown>;
}

/**
 * The webhook's own TLS server, with whom it lets in. It does not listen before there is a certificate.
 *
 * @throws Problem when CLIENT_CA_FILE cannot be used
 */
const openWebhookServer = async (
  config: Config,
  logger: Logger,
  meters: Metrics,
  answer: RequestListener,
): Promise<OpenWebhookServer> => {
  const { clientCaFile: file } = config;
  const clients =
    file === null
      ? null
      : await openClientCa(file, {
          onChange: (pem) => {
            server.trustClients(pem);
            logger.info('Client CA bundle changed', { file });
          },
          onProblem: (reason) => logger.warn('Client CA bundle rejected, keeping the one in use', { file, reason }),
        });
  const server = createWebhookServer({
    bind: config.webhookBind,
    tlsMinVersion: config.tlsMinVersion,
    clientCa: clients?.pem ?? null,
    answer,
    onConnectionError: ({ kind, reason, emit, suppressed }) => {
      meters.connectionErrors.add(kind);
      // A caller that hangs up during its handshake is everyday life, a port scan say.
      const level = kind === 'handshake-aborted' ? 'debug' : 'warn';
      if (emit) logger[level]('Connection error', { kind, reason, suppressed });
    },
  });
  return { server, look: () => clients?.look() ?? Promise.resolve() };
};

/** Who answers the AdmissionReviews: the module of WEBHOOK_HANDLER, or whoever listens at UPSTREAM_URL. */
interface AdmissionSide extends AsyncDisposable {
  readonly answer: RequestListener;
  reachable(): Promise<boolean>;
}

const hosted = async (
  config: Config,
  { logger, directory, handler }: DaemonDependencies,
  onAnswered: OnAnswered,
): Promise<AdmissionSide> => {
  const [{ createAdmission }, { loadHandler }, { routes }] = await Promise.all([
    import('../webhook/admission.ts'),
    import('../webhook/load-handler.ts'),
    import('../webhook/load-handler.ts'),
  ]);
  const route =
    handler === undefined
      ? await loadHandler(config.handlerModule ?? '', directory, {
          timeoutMs: config.certTimeoutMs,
          onSlow: () => logger.info('Loading WEBHOOK_HANDLER...', { module: config.handlerModule }),
        })
      : routes(handler, 'the handler');
  return {
    answer: createAdmission({ route, maxRequestBytes: config.maxRequestBytes, log: logger, onAnswered }),
    reachable: () => Promise.resolve(true),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
};

const fronted = async (
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
    onFault: (status, reason, suppressed) => logger.warn('Upstream failed', { status, reason, suppressed }),
    onRefused: (status, reason, suppressed) => logger.warn('Admission request refused', { status, reason, suppressed }),
  });
};

/**
 * Opens the one that the configuration names, or the handler that comes with the surroundings.
 *
 * @throws Problem when the handler cannot be loaded
 */
const openAdmissionSide = (
  config: Config,
  surroundings: DaemonDependencies,
  onAnswered: OnAnswered,
): Promise<AdmissionSide> => {
  const { handlerModule, upstream } = config;
  if (handlerModule !== null || surroundings.handler !== undefined) return hosted(config, surroundings, onAnswered);
  if (upstream === null) throw new Error('the configuration names neither handler nor upstream');
  return fronted(upstream, config, surroundings.logger, onAnswered);
};

/** What a daemon is given beside its configuration. */
export interface DaemonDependencies {
  readonly logger: Logger;
  /** Rejects with a `KubeProblem` when the configuration does not say how to reach the API server. */
  readonly client: () => Promise<KubeClient>;
  readonly version: string;
  /** Where a relative WEBHOOK_HANDLER starts. */
  readonly directory: string;
  /** Answers instead of what the configuration names. */
  readonly handler?: HandlerExport;
  /** Serves instead of the webhook's own server. Whoever brings it has probes and metrics of its own, too. */
  readonly face?: TlsEndpoint;
}
