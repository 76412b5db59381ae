import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Socket } from 'node:net';
import { apiListener } from './api-listener.ts';
import type { ApiServerOptions, EmbeddedApiServer } from './embedded-api-server.ts';
import { followObject } from './follow-object.ts';
import { kubeconfig } from './kubeconfig.ts';
import { ObjectStore } from './object-store.ts';
import { RequestLog } from './request-log.ts';
import { makeServerIdentity } from './server-identity.ts';
import type { User } from './users.ts';
import { WatchTally } from './watch-tally.ts';

/** Go's server keeps an idle connection this long. Node's own 5 s would race with a client's next request. */
const keepAliveMs = 180_000;

/** Starts a loopback HTTPS server that behaves like kube-apiserver for the kinds of `resource-types.ts`. */
export const startApiServer = async (options: ApiServerOptions = {}): Promise<EmbeddedApiServer> => {
  const identity = await makeServerIdentity();
  const adminToken = randomUUID();
  const known: User[] = [{ token: adminToken, user: 'admin', groups: ['system:masters'] }, ...(options.users ?? [])];
  const store = new ObjectStore(options.historyLimit);
  const requests = new RequestLog();
  const watchEvents = new WatchTally();
  const watches = new Set<ServerResponse>();
  let frozen: PromiseWithResolvers<void> | null = null;
  const sockets = new Set<Socket>();
  let connections = 0;

  const listener = apiListener({
    store,
    users: known,
    log: requests,
    watchEvents,
    bookmarkIntervalMs: options.bookmarkIntervalMs ?? 60_000,
    thawed: () => frozen?.promise ?? Promise.resolve(),
    onWatch: (response) => {
      watches.add(response);
      response.on('close', () => watches.delete(response));
    },
  });
  const server = createServer(
    { cert: identity.certificatePem, key: identity.keyPem, keepAliveTimeout: keepAliveMs },
    listener,
  );
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('secureConnection', () => (connections += 1));
  const cutConnections = () => sockets.forEach((socket) => socket.destroy());

  let port = options.port ?? 0;
  const start = async () => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (typeof address === 'object' && address !== null) port = address.port;
  };
  const stop = async () => {
    if (!server.listening) return;
    server.close();
    cutConnections();
    await once(server, 'close');
  };
  const thaw = () => {
    for (const response of watches) response.uncork();
    frozen?.resolve();
    frozen = null;
  };
  await start();
  const url = `https://127.0.0.1:${port}`;

  return {
    url,
    port,
    caPem: identity.caPem,
    adminToken,
    store,
    follow: followObject(store),
    requests,
    watchEvents,
    get connections() {
      return connections;
    },
    get openWatches() {
      return watches.size;
    },
    kubeconfig: (token = adminToken) => kubeconfig({ url, caPem: identity.caPem, token }),
    addUser: (user) => known.push(user),
    endWatches: () => watches.forEach((response) => response.end()),
    cutConnections,
    compact: () => store.compact(),
    freeze: () => {
      frozen ??= Promise.withResolvers();
      for (const response of watches) response.cork();
    },
    thaw,
    stop,
    start,
    [Symbol.asyncDispose]: async () => {
      thaw();
      await stop();
    },
  };
};
