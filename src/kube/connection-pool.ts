import type { Socket } from 'node:net';
import type { buildConnector, Dispatcher } from 'undici';
import Pool from 'undici/lib/dispatcher/pool.js';
import ProxyAgent from 'undici/lib/dispatcher/proxy-agent.js';
import { connectSocket } from './connect-socket.ts';
import type { Access } from './credentials.ts';

/** Connections to one server under one set of TLS options, kept alive and used again. */
export interface ConnectionPool {
  /** Starts a request. The result gives up the socket that is being opened for it, if one still is. */
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): () => void;
  /** Lets what is in flight end, takes nothing new. */
  close(): Promise<void>;
  /** Ends everything now. */
  destroy(): Promise<void>;
}

// Deadlines are ours: undici's would end a quiet watch after five minutes.
const undeadlined = { headersTimeout: 0, bodyTimeout: 0 };

// kube-apiserver closes idle connections after 90 s; we go first, so that no request meets the closing.
const keepAlive = { keepAliveTimeout: 60_000, keepAliveMaxTimeout: 80_000 };

export function connectionPool({ server, tls, proxyUrl }: Access): ConnectionPool {
  const opening = new Set<Socket>();
  let onOpening: ((socket: Socket) => void) | null = null;

  const connect = connectSocket(tls, (socket) => {
    opening.add(socket);
    const opened = (): boolean => opening.delete(socket);
    socket.once('secureConnect', opened).once('close', opened);
    if (new URL(server).protocol === 'http:') socket.once('connect', opened);
    onOpening?.(socket);
  });
  const options = { ...undeadlined, ...keepAlive, allowH2: false };
  const dispatcher: Dispatcher =
    proxyUrl === null
      ? new Pool(new URL(server).origin, { ...options, connect })
      : new ProxyAgent({ ...options, uri: proxyUrl, requestTls: tls as buildConnector.BuildOptions });

  const giveUp = (socket: Socket | null): void => {
    if (socket !== null && opening.has(socket)) socket.destroy(new Error('nobody waits for this connection'));
  };

  return {
    dispatch(request, handler) {
      let mine: Socket | null = null;
      // A pool with no free connection opens one before `dispatch` returns, and for this request alone (no pipelining).
      onOpening = (socket) => (mine = socket);
      try {
        dispatcher.dispatch(request, handler);
      } finally {
        onOpening = null;
      }
      return () => giveUp(mine);
    },
    close: () => dispatcher.close(),
    async destroy() {
      const destroyed = dispatcher.destroy();
      opening.forEach(giveUp);
      await destroyed;
    },
  };
}
