import type { RequestListener } from 'node:http';
import type { Server } from 'node:https';
import { type AddressInfo, Server as NetServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { TlsOptions } from 'node:tls';
import { type Bind, listen } from '../util/listen.ts';
import { monotonicMs } from '../util/time.ts';
import { type ConnectionError, handshakeError, reportConnectionError } from './connection-errors.ts';
import { defaultLimits, drainConnections, type WebhookLimits } from './connection-policy.ts';
import { type Connection, Connections } from './connections.ts';
import { httpsServer } from './https-server.ts';
import { type Handshake, loopbackHandshake } from './loopback-handshake.ts';
import { type Pair, tlsOptions, type TlsSettings } from './tls.ts';

/** The TLS face of the webhook: HTTP/1.1 only, and nothing listens before there is a certificate to show. */
export const createWebhookServer = (options: WebhookServerOptions): WebhookServer => {
  const limits = { ...defaultLimits, ...options.limits };
  const report = reportConnectionError(options.onTrouble ?? (() => undefined));
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
    // It crossed our farewell, which is its answer.
    if (connection?.stage === 'parting') return void request.resume();
    if (connection === undefined || isLeaving(connection)) response.shouldKeepAlive = false;
    options.answer(request, response);
  };
  const onHandshakeError = (error: NodeJS.ErrnoException) => {
    const kind = handshakeError(error);
    // Our own handshake shows no client certificate: by then it has seen the server's, which is all it came for.
    if (ownHandshakes > 0 && (kind === 'client-certificate' || kind === 'handshake-aborted')) ownHandshakes -= 1;
    else report(kind, error.message);
  };
  const open = async (tls: TlsOptions): Promise<Server> => {
    const on = { answer, onHandshakeError, onSweep: () => void part() };
    const server = httpsServer({ tls, limits, connections, report, generation: () => generation, ...on });
    address = await listen(server, options.bind);
    server.on('error', (error) => report('accept-failed', error.message));
    return server;
  };
  const isLeaving = ({ generation: greeted }: Connection) => leaving || greeted < retiredBelow;
  // Until the cluster has heard of it the callers go on using what they have: each answer ends one, and none fails.
  const part = () => drainConnections(connections, isLeaving, lingering ? Infinity : limits.quietMs);
  const retire = () => {
    retiredBelow = generation;
    void part();
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
      if (clientCa === null) throw new Error('no client certificates are asked for');
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
      await part();
      await delay(Math.min(lingerMs, graceMs));
      lingering = false;
      // Not https's own close, which cuts every resting connection on the spot.
      NetServer.prototype.close.call(server);
      while (connections.size > 0 && monotonicMs() < endMs) {
        await part();
        await Promise.race([connections.emptied(), delay(Math.max(0, Math.min(100, endMs - monotonicMs())))]);
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
  readonly bind: Bind;
  readonly answer: RequestListener;
  readonly limits?: Partial<WebhookLimits>;
  readonly onTrouble?: (trouble: ConnectionError) => void;
}

export interface WebhookServer {
  /**
   * Serves this pair from the next handshake on. The first call begins to listen. A pair that cannot be served throws
   * and leaves the last one in place.
   */
  serve(pair: Pair): Promise<{ readonly port: number }>;
  /**
   * Parts with every connection greeted with an earlier pair: those at rest soon, the busy ones with their next answer.
   * See part-with.ts for why not at once.
   */
  retire(): void;
  /**
   * From the next handshake on client certificates must chain to these authorities, PEM; connections from before are
   * parted with. Only where `clientCa` was set: whether to ask at all is decided once.
   */
  trustClients(pem: Buffer | string): void;
  /** One handshake with ourselves: see loopback-handshake.ts. */
  handshake(servername: string, trust: Buffer | string | null): Promise<Handshake>;
  /**
   * From now on every answer ends its connection. For `lingerMs` new ones are still accepted, since the cluster needs a
   * moment to learn that this replica is leaving; then those at rest are closed and those being answered waited for,
   * until `graceMs` after the call, when whatever is left is cut.
   */
  drain(graceMs: number, lingerMs?: number): Promise<void>;
  /** Null until the first certificate is served. */
  readonly address: AddressInfo | null;
  readonly connections: number;
}
