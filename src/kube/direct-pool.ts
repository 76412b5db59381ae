import { once } from 'node:events';
import { Agent, request, type ClientRequest } from 'node:http';
import type { Socket } from 'node:net';
import { connectSocket } from './connect-socket.ts';
import type { ConnectionPool } from './connection-pool.ts';
import type { Access } from './credentials.ts';

/** As client-go: well below the idle limit of cloud load balancers. Node then probes ten times, a second apart. */
const keepAliveMsecs = 30_000;

/** kube-apiserver closes idle connections after 90 s; we go first, so that no request meets the closing. */
const idleMs = 60_000;

/** Node's own client: every replica has it anyway, for its TLS server. It opens as many connections as are wanted at once. */
export function directPool({ server, tls }: Pick<Access, 'server' | 'tls'>): ConnectionPool {
  const url = new URL(server);
  const agent = new Agent({ keepAlive: true, keepAliveMsecs, timeout: idleMs, scheduling: 'lifo' });
  let early: Socket | null = null;
  // TLS or not is the socket's business.
  const open = (): Socket => connectSocket(url, tls, keepAliveMsecs);
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
}
