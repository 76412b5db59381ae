import type { RequestListener } from 'node:http';
import type { Server } from 'node:https';
import { type AddressInfo, Server as NetServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { TlsOptions, TLSSocket } from 'node:tls';
import { type BindAddress, listen } from '../util/listen.ts';
import { monotonicMs } from '../util/time.ts';
import { type ConnectionError, handshakeError, handshakeReason, reportConnectionError } from './connection-errors.ts';
import { defaultLimits, drainConnections, type WebhookLimits } from './connection-policy.ts';
import { type Connection, Connections } from './connections.ts';
import { httpsServer } from './https-server.ts';
import { type Handshake, loopbackHandshake } from './loopback-handshake.ts';
import { type Pair, tlsOptions, type TlsSettings } from './tls.ts';

/** Creates the TLS server of the webhook: HTTP/1.1 only, listening from the first certificate on. */
export const createWebhookServer = (options: WebhookServerOptions): WebhookServer => {
  const limits = { ...defaultLimits, ...options.limits };
  const report = reportConnectionError(options.onConnectionError ?? (() => undefined));
  const connections = new Connections();
  let opening: Promise<Server> | null = null;
  let address: AddressInfo | null = null;
  let generation = 0;
  let retiredBelow = 0;
  let leaving = false;
  let lingering = false;
  let ownHandshakes = 0;
  let served: Pair | null = null;
  let { clientCa = null } = options;

  const answer: RequestListener = (request, response) => {
    const connection = connections.begin(request, response);
    // The request crossed the goodbye response, which is its answer.
    if (connection?.stage === 'closing') return void request.resume();
    if (connection === undefined || isLeaving(connection)) response.shouldKeepAlive = false;
    options.answer(request, response);
  };
  const onHandshakeError = (error: NodeJS.ErrnoException, socket: TLSSocket) => {
    const kind = handshakeError(error);
    // The loopback handshake presents no client certificate: by then it has seen the server's, which was its purpose.
    if (ownHandshakes > 0 && (kind === 'client-certificate' || kind === 'handshake-aborted')) ownHandshakes -= 1;
    else report(kind, handshakeReason(error, socket.remoteAddress, options.tlsMinVersion), error.code);
  };
  const open = async (tls: TlsOptions): Promise<Server> => {
    const on = { answer, onHandshakeError, onSweep: () => void closeLeaving() };
    const server = httpsServer({ tls, limits, connections, report, generation: () => generation, ...on });
    address = await listen(server, options.bind);
    server.on('error', (error) => report('accept-failed', error.message));
    return server;
  };
  const isLeaving = (connection: Connection) => leaving || connection.generation < retiredBelow;
  // While lingering, callers keep using their connections: each answer closes one, and no call fails.
  const closeLeaving = () => drainConnections(connections, isLeaving, lingering ? Infinity : limits.quietMs);
  const retire = () => {
    retiredBelow = generation;
    void closeLeaving();
  };
  const swap = (server: Server, tls: TlsOptions): Server => {
    server.setSecureContext(tls);
    generation += 1;
    return server;
  };

  return {
    async serve(pair) {
      const tls = tlsOptions(pair, { ...options, clientCa });
      const wasOpening = opening;
      opening ??= open(tls);
      try {
        const server = await opening;
        if (wasOpening !== null) swap(server, tls);
        served = pair;
      } catch (error) {
        if (address === null) opening = null;
        throw error;
      }
      return { port: address?.port ?? 0 };
    },
    retire,
    trustClients(pem) {
      if (clientCa === null) throw new Error('no client certificates are requested');
      clientCa = pem;
      void opening?.then(
        (server) => {
          if (served !== null) swap(server, tlsOptions(served, { ...options, clientCa }));
          retire();
        },
        () => undefined,
      );
    },
    handshake(servername, trust) {
      if (address === null) return Promise.reject(new Error('nothing is served yet'));
      if (clientCa !== null) ownHandshakes += 1;
      return loopbackHandshake(address, servername, trust);
    },
    async drain(graceMs, lingerMs = 0) {
      leaving = true;
      lingering = true;
      const endMs = monotonicMs() + graceMs;
      const server = await opening?.catch(() => null);
      if (server === null || server === undefined) return;
      await closeLeaving();
      await delay(Math.min(lingerMs, graceMs));
      lingering = false;
      // Not https's own close, which destroys every idle connection at once.
      NetServer.prototype.close.call(server);
      while (connections.size > 0 && monotonicMs() < endMs) {
        await closeLeaving();
        await Promise.race([connections.emptied(), delay(Math.min(100, endMs - monotonicMs()))]);
      }
      for (const one of connections.all()) one.socket.destroy();
      server.close();
    },
    get address() {
      return address;
    },
    get connections() {
      return connections.size;
    },
  };
};

export interface WebhookServerOptions extends TlsSettings {
  readonly bind: BindAddress;
  readonly answer: RequestListener;
  readonly limits?: Partial<WebhookLimits>;
  readonly onConnectionError?: (connectionError: ConnectionError) => void;
}

export interface WebhookServer {
  /**
   * Presents this pair from the next handshake on. The first call begins to listen. Rejects when the pair cannot be
   * used, and leaves the previous one in place.
   */
  serve(pair: Pair): Promise<{ readonly port: number }>;
  /**
   * Closes every connection that was accepted with an earlier pair: idle ones soon, busy ones with their next answer.
   * See drainConnections for why not at once.
   */
  retire(): void;
  /**
   * Requires client certificates to chain to these CAs (PEM) from the next handshake on, and closes earlier connections.
   * Only where `clientCa` was set: whether client certificates are requested is decided once.
   */
  trustClients(pem: Buffer | string): void;
  /** Performs one handshake with itself: see loopback-handshake.ts. */
  handshake(servername: string, trust: Buffer | string | null): Promise<Handshake>;
  /**
   * Closes every connection with its next answer. For `lingerMs` new connections are still accepted, because the cluster
   * needs a moment to learn that this replica is leaving; then idle ones are closed and busy ones waited for. Connections
   * still open `graceMs` after the call are destroyed.
   */
  drain(graceMs: number, lingerMs?: number): Promise<void>;
  /** Null until the first certificate is served. */
  readonly address: AddressInfo | null;
  readonly connections: number;
}
