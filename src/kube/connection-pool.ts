import { once } from 'node:events';
import { Agent, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { connect as connectTcp, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { buildConnector, Dispatcher } from 'undici';
import { hostOf, isIpAddress } from '../util/ip.ts';

/** How to reach the API server and prove who we are, as of one moment. */
export interface Access {
  /** Base URL without a trailing slash; it may have a path. */
  readonly server: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: ConnectionOptions;
  /** `http:`, `https:` or `socks5:` proxy, else null. */
  readonly proxyUrl: string | null;
}

export interface Credentials {
  readonly server: string;
  /** Asked before each request; cheap when nothing has changed. Rejects with a `ApiError`. */
  access(): Promise<Access>;
  /** The server refused what we gave, or we refused its certificate: read everything afresh next time. */
  forget(): void;
}

/** One request as it goes out. */
export interface Outgoing {
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: string | null;
}

/** Told what comes back: the header, chunks, then the end; or, at any point, why there is no more. */
export interface Answered {
  header(status: number, headers: IncomingHttpHeaders): void;
  chunk(bytes: Buffer): void;
  end(): void;
  failed(error: Error): void;
}

/** The answer to a request for another protocol: its connection with what came behind the header, or a rejection. */
export type UpgradeAnswer =
  | { readonly upgraded: true; readonly headers: IncomingHttpHeaders; readonly socket: Duplex; readonly head: Buffer }
  | {
      readonly upgraded: false;
      readonly status: number;
      readonly headers: IncomingHttpHeaders;
      readonly body: string;
    };

/** Connections to one server under one set of TLS options, kept alive and used again. */
export interface ConnectionPool {
  /** Opens a connection ahead of the first request, which will use it. A proxy is asked for none. */
  connect(): void;
  /** Starts a request. The result gives it up, and its connection with it, whether that is opening, waiting or reading. */
  dispatch(outgoing: Outgoing, answered: Answered): () => void;
  /** Asks for a WebSocket on a connection of its own, which is the caller's to close. */
  upgrade(outgoing: Outgoing, signal: AbortSignal): Promise<UpgradeAnswer>;
  /** Lets what is in flight end, takes nothing new. */
  close(): Promise<void>;
  /** Ends everything now. */
  destroy(): Promise<void>;
}

/** As client-go: well below the idle limit of cloud load balancers. Node then probes ten times, a second apart. */
const KEEP_ALIVE_MS = 30_000;

/** kube-apiserver closes idle connections after 90 s; we go first, so that no request meets the closing. */
const IDLE_MS = 60_000;

/** Node's own client: every replica has it anyway, for its TLS server. It opens as many connections as are wanted at once. */
export const directPool = ({ server, tls }: Pick<Access, 'server' | 'tls'>): ConnectionPool => {
  const url = new URL(server);
  const agent = new Agent({ keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS, timeout: IDLE_MS, scheduling: 'lifo' });
  let early: Socket | null = null;
  // TLS or not is the socket's business.
  const open = (): Socket => connectSocket(url, tls, KEEP_ALIVE_MS);
  agent.createConnection = () => {
    const socket = early === null || early.destroyed ? open() : early;
    early = null;
    return socket;
  };
  const inFlight = new Set<ClientRequest>();

  const closeIdle = (): void => {
    agent.maxFreeSockets = 0;
    early?.destroy();
    for (const sockets of Object.values(agent.freeSockets)) sockets?.forEach((socket) => socket.destroy());
  };

  return {
    connect() {
      early ??= open();
    },
    dispatch({ path, method, headers, body }, answered) {
      const length = body === null ? {} : { 'content-length': String(Buffer.byteLength(body)) };
      const outgoing = request({ agent, path, method, headers: { host: url.host, ...headers, ...length } });
      inFlight.add(outgoing);
      const failed = (error: Error): void => answered.failed(error);
      outgoing
        .on('close', () => inFlight.delete(outgoing))
        .on('error', failed)
        .on('response', (incoming) => {
          answered.header(incoming.statusCode ?? 0, incoming.headers);
          incoming
            .on('data', (bytes: Buffer) => answered.chunk(bytes))
            .on('end', () => answered.end())
            .on('error', failed);
        })
        .end(body ?? undefined);
      return () => outgoing.destroy();
    },
    upgrade: ({ path, method, headers }, signal) =>
      new Promise((resolve, reject) => {
        const outgoing = request({
          createConnection: open,
          path,
          method,
          headers: { host: url.host, connection: 'Upgrade', upgrade: 'websocket', ...headers },
          signal,
        });
        inFlight.add(outgoing);
        outgoing
          .on('close', () => inFlight.delete(outgoing))
          .on('error', reject)
          .on('upgrade', (incoming, socket, head) =>
            resolve({ upgraded: true, headers: incoming.headers, socket, head }),
          )
          .on('response', (incoming) => {
            readText(incoming).then((body) => {
              resolve({ upgraded: false, status: incoming.statusCode ?? 0, headers: incoming.headers, body });
            }, reject);
          })
          .end();
      }),
    async close() {
      closeIdle();
      await Promise.all([...inFlight].map((outgoing) => once(outgoing, 'close').catch(() => undefined)));
    },
    destroy() {
      closeIdle();
      for (const outgoing of inFlight) outgoing.destroy();
      return Promise.resolve();
    },
  };
};

const MOST_REJECTION_CHARS = 64 * 1024;

const readText = async (incoming: IncomingMessage): Promise<string> => {
  let text = '';
  for await (const chunk of incoming) if (text.length < MOST_REJECTION_CHARS) text += String(chunk);
  return text;
};

/** undici's types leave out the origin, which its agents need. */
type UpgradeOptions = Parameters<Dispatcher['upgrade']>[0];

/** Within this a network either connects or has lost the packet; a request's own deadline is longer. */
const CONNECT_TIMEOUT_MS = 5_000;

/** Opens one connection: HTTP/1.1 only, TCP keep-alive on. A bad one is destroyed with the reason. */
const connectSocket = (url: URL, tls: ConnectionOptions, keepAliveMs: number): Socket => {
  const secure = url.protocol === 'https:';
  const host = hostOf(url);
  const target = { host, port: Number(url.port || (secure ? 443 : 80)) };
  const servername = tls.servername ?? (isIpAddress(host) ? '' : host);
  const socket = secure
    ? connectTls({ ...tls, ...target, servername, ALPNProtocols: ['http/1.1'] })
    : connectTcp(target);
  const timer = setTimeout(() => {
    socket.destroy(new Error(`no connection within ${CONNECT_TIMEOUT_MS / 1000} s`));
  }, CONNECT_TIMEOUT_MS);
  const settle = (): void => clearTimeout(timer);
  socket.setKeepAlive(true, keepAliveMs).setNoDelay(true);
  // Stays on for the socket's life: an error without a listener ends the process. After a record that cannot be decrypted
  // Node leaves a TLS socket open, until the peer ends it, if ever.
  socket.on('error', (error) => socket.destroy(error));
  socket.once('close', settle).once(secure ? 'secureConnect' : 'connect', settle);
  return socket;
};

// Deadlines are ours: undici's would end a quiet watch after five minutes.
const undeadlined = { headersTimeout: 0, bodyTimeout: 0 };

/** Through the proxy of a kubeconfig: undici's, loaded only then, since it adds a third to what a replica holds. */
export const proxiedPool = ({ server, tls }: Pick<Access, 'server' | 'tls'>, proxyUrl: string): ConnectionPool => {
  const { origin } = new URL(server);
  const agent = import('undici/lib/dispatcher/proxy-agent.js').then(
    ({ default: ProxyAgent }) =>
      new ProxyAgent({
        ...undeadlined,
        allowH2: false,
        uri: proxyUrl,
        requestTls: tls as buildConnector.BuildOptions,
      }),
  );
  return {
    connect: () => undefined,
    dispatch(outgoing, answered) {
      const given = new AbortController();
      void agent.then((opened) =>
        opened.dispatch(
          { origin, ...outgoing },
          {
            onRequestStart(controller) {
              const abort = (): void => controller.abort(new Error('given up'));
              if (given.signal.aborted) abort();
              else given.signal.addEventListener('abort', abort);
            },
            onResponseStart: (_, status, headers) => {
              if (status >= 200) answered.header(status, headers);
            },
            onResponseData: (_, bytes) => answered.chunk(bytes),
            onResponseEnd: () => answered.end(),
            onResponseError: (_, error) => answered.failed(error),
          },
        ),
      );
      return () => given.abort();
    },
    upgrade: async ({ path, method, headers }, signal) => {
      const { headers: answer, socket } = await (
        await agent
      ).upgrade({ path, method: method, headers, protocol: 'websocket', origin, signal } as UpgradeOptions);
      return { upgraded: true, headers: answer, socket, head: Buffer.alloc(0) };
    },
    close: async () => (await agent).close(),
    destroy: async () => (await agent).destroy(),
  };
};
