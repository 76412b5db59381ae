import type { Server } from 'node:net';
import type { Observable } from 'rxjs';
import { Problem } from '../../streams/problem.ts';
import { allow } from '../webhook/handler-api.ts';
import { embedding, type EmbedOptions, type Running, running, type ServedCertificate } from './embed.ts';
import { embedderServer } from './embedder-server.ts';

export interface CertificatesOptions extends EmbedOptions {
  /**
   * Where the certificates go, an https.Server mostly. With it, ready means that a loopback handshake under the Service's
   * name has verified each; without it, that each has been handed out and is valid.
   */
  readonly server?: Server;
}

export interface Certificates extends Running {
  /**
   * Each verified pair, for `server.setSecureContext`; replays the newest, completes once stopped. Never errors. Set it
   * at once when it comes: the handshake follows on its heels.
   */
  readonly certificate$: Observable<ServedCertificate>;
}

/**
 * A replica without a webhook: follows and elects, issues, verifies, and hands each certificate to a server of your own.
 * Neither probes nor metrics listen. Connections kept from before a CA was dropped are yours to close.
 *
 * @throws Problem when a variable is wrong, or something cannot be opened
 */
export const createCertificates = async ({ server, ...options }: CertificatesOptions): Promise<Certificates> => {
  const { config, surroundings } = embedding(options);
  if (config.clientCaFile !== null)
    throw new Problem('CLIENT_CA_FILE: expected none, a server of your own asks for client certificates itself');
  const { startDaemon } = await import('../daemon/daemon.ts');
  const face = embedderServer(server ?? null, { tlsMinVersion: config.tlsMinVersion });
  // The handler is never asked: nothing of ours listens.
  const daemon = await startDaemon(config, { ...surroundings, face, handler: () => allow() });
  return { ...running(daemon, options.signal), certificate$: face.secured$ };
};
