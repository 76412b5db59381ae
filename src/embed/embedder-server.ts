import { once } from 'node:events';
import type { Server } from 'node:net';
import { createSecureContext } from 'node:tls';
import { type Observable, ReplaySubject } from 'rxjs';
import { Problem } from '../../streams/problem.ts';
import { loopbackHandshake } from '../webhook/loopback-handshake.ts';
import { tlsOptions, type TlsSettings } from '../webhook/tls.ts';
import type { TlsEndpoint } from '../webhook/tls-endpoint.ts';
import { publicPair, type ServedCertificate } from './embed.ts';

interface EmbedderServer extends TlsEndpoint {
  /** Emits at each load, replays the newest. */
  readonly secured$: Observable<ServedCertificate>;
}

/** How long a handshake waits for the server to listen, ms. */
const PATIENCE_MS = 5_000;

/**
 * Hands verified pairs to whoever has a TLS server of his own.
 *
 * @param server with whom to shake hands once it has the pair; null leaves that out
 */
export const embedderServer = (server: Server | null, settings: TlsSettings): EmbedderServer => {
  const secured$ = new ReplaySubject<ServedCertificate>(1);
  let fingerprint = '';
  const listening = async (): Promise<void> => {
    if (server === null || server.listening) return;
    await once(server, 'listening', { signal: AbortSignal.timeout(PATIENCE_MS) }).catch(() => {
      throw new Problem('the server does not listen');
    });
  };
  return {
    secured$,
    // What the TLS library refuses must not end the subscriber, who has a good one.
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
      // Through a pipe there is nothing to dial.
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
