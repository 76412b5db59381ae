import type { Server } from 'node:net';
import type { Observable } from 'rxjs';
import { Problem } from '../../streams/problem.ts';
import { allow } from '../webhook/handler-api.ts';
import { type EmbedOptions, prepareEmbedding, runEmbedded, type Running, type ServedCertificate } from './embed.ts';
import { embedderServer } from './embedder-server.ts';

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
