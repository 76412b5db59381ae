import { once } from 'node:events';
import type { Server } from 'node:net';
import { createSecureContext } from 'node:tls';
import { type Observable, ReplaySubject } from 'rxjs';
import { Problem } from '../../streams/problem.ts';
import { loopbackHandshake } from '../webhook/loopback-handshake.ts';
import type { TlsEndpoint } from '../webhook/serving.ts';
import { tlsOptions, type TlsSettings } from '../webhook/tls.ts';
import { publicPair, type ServedCertificate } from './embed.ts';

interface EmbedderServer extends TlsEndpoint {
  /** Emits on each load, replays the newest. */
  readonly secured$: Observable<ServedCertificate>;
}

/** How long a handshake waits for the server to listen. */
const LISTEN_TIMEOUT_MS = 5_000;

/**
 * Emits verified pairs for a TLS server of the embedder.
 *
 * @param server receives a loopback handshake after each pair; null omits the handshake
 */
export const embedderServer = (server: Server | null, settings: TlsSettings): EmbedderServer => {
  const secured$ = new ReplaySubject<ServedCertificate>(1);
  let fingerprint = '';
  const listening = async (): Promise<void> => {
    if (server === null || server.listening) return;
    await once(server, 'listening', { signal: AbortSignal.timeout(LISTEN_TIMEOUT_MS) }).catch(() => {
      throw new Problem('the server does not listen');
    });
  };
  return {
    secured$,
    // A pair that the TLS library rejects must not reach the subscriber, which serves a good one.
    serve: (pair) =>
      Promise.try(() => {
        const secureContext = tlsOptions(pair, settings);
        createSecureContext(secureContext);
        ({ fingerprint } = pair.leaf);
        secured$.next({ ...publicPair(pair), secureContext });
      }),
    handshake: async (servername, trust) => {
      await listening();
      const address = server?.address() ?? null;
      // A server on a pipe has no address to connect to.
      if (address === null || typeof address === 'string') return { fingerprint };
      return loopbackHandshake(address, servername, trust);
    },
    retire: () => undefined,
    drain: () => {
      secured$.complete();
      return Promise.resolve();
    },
    address: null,
  };
};
