import type { Server } from 'node:net';
import { map, type Observable } from 'rxjs';
import type { VerifiedPair } from '../../streams/model.ts';
import { Problem } from '../../streams/problem.ts';
import type { HandlerExport, KubeObject } from '../webhook/admission-types.ts';
import { allow } from '../webhook/handler-api.ts';
import {
  type EmbedOptions,
  prepareEmbedding,
  publicPair,
  runEmbedded,
  type Running,
  type ServedCertificate,
} from './embed.ts';
import { embedderServer } from './embedder-server.ts';

export interface WebhookOptions<T extends object = KubeObject> extends EmbedOptions {
  /** One handler for every path, or an object with one handler per path. */
  readonly handler: HandlerExport<T>;
}

export interface Webhook extends Running {
  /** The served pairs. Replays the newest and completes once stopped; never errors. */
  readonly certificate$: Observable<VerifiedPair>;
  /** The port of the webhook; null until the first certificate is served, since it does not listen before. */
  readonly port: number | null;
}

interface CreateWebhook {
  <T extends object = KubeObject>(options: WebhookOptions<T>): Promise<Webhook>;
  /** One handler per path, each for another type of object. */
  (options: WebhookOptions<never>): Promise<Webhook>;
}

/**
 * Runs a complete replica in this process: it takes part in the election, issues certificates, serves TLS and calls the
 * handler. Probes and metrics listen as configured. Signals and exit codes are left to the caller.
 *
 * @throws Problem when a variable is invalid or a resource cannot be opened
 */
export const createWebhook: CreateWebhook = async ({ handler, ...options }: WebhookOptions<never>) => {
  const { config, dependencies } = prepareEmbedding(options);
  const { startDaemon } = await import('../daemon/daemon.ts');
  const daemon = await startDaemon(config, { ...dependencies, handler });
  return {
    ...runEmbedded(daemon, options.signal),
    certificate$: daemon.certificate$.pipe(map(publicPair)),
    get port() {
      return daemon.port();
    },
  };
};

export interface CertificatesOptions extends EmbedOptions {
  /**
   * The server that uses the certificates, usually an https.Server. With it, ready means that a loopback handshake with the
   * Service's name has verified the certificate; without it, that the certificate was emitted and is valid.
   */
  readonly server?: Server;
}

export interface Certificates extends Running {
  /**
   * Each verified pair, for `server.setSecureContext`. Replays the newest and completes once stopped; never errors. Set it
   * synchronously, since the loopback handshake follows immediately.
   */
  readonly certificate$: Observable<ServedCertificate>;
}

/**
 * Runs a replica without a webhook: it takes part in the election, issues and verifies certificates, and emits each for a
 * server of the caller. Probes and metrics do not listen. The caller closes connections that were opened before a CA was
 * removed.
 *
 * @throws Problem when a variable is invalid or a resource cannot be opened
 */
export const createCertificates = async ({ server, ...options }: CertificatesOptions): Promise<Certificates> => {
  const { config, dependencies } = prepareEmbedding(options);
  if (config.clientCaFile !== null)
    throw new Problem(
      'CLIENT_CA_FILE: must not be set with createCertificates(), whose server requests client certificates itself',
    );
  const { startDaemon } = await import('../daemon/daemon.ts');
  const endpoint = embedderServer(server ?? null, { tlsMinVersion: config.tlsMinVersion });
  // The handler is never called, since no server of the daemon listens.
  const daemon = await startDaemon(config, { ...dependencies, endpoint, handler: () => allow() });
  return { ...runEmbedded(daemon, options.signal), certificate$: endpoint.secured$ };
};
