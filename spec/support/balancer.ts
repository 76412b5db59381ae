import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SpecReplica } from './installation.ts';
import { until } from './until.ts';

/** Whom it sends connections to. */
export type Endpoint = Pick<SpecReplica, 'webhookPort' | 'probe'>;

/** What a Service is: one address, whose connections go to the Ready replicas in turn. */
export interface Balancer extends AsyncDisposable {
  readonly port: number;
  /** Connections that found no replica Ready. */
  readonly turnedAway: number;
  add(replica: Endpoint): void;
  /** Resolves once it has heard that a replica is Ready. */
  heard(replica: Endpoint): Promise<void>;
  /** Resolves once it has heard that a replica is no longer Ready, and all connections that it has sent there have ended. */
  left(replica: Endpoint): Promise<void>;
}

const POLL_MS = 100;

/**
 * Starts one without endpoints. Whether a replica is Ready is asked of its /readyz every 100 ms.
 *
 * @param propagationMs how long the news takes to reach whoever sends connections: in a cluster about a second
 */
export const startBalancer = async (propagationMs = 0): Promise<Balancer> => {
  const ready = new Map<Endpoint, boolean>();
  const sockets = new Set<Socket>();
  const sent = new Map<Endpoint, Set<Socket>>();
  const polling = new AbortController();
  let turn = 0;
  let turnedAway = 0;

  const poll = async (replica: Endpoint): Promise<void> => {
    const isReady = await replica.probe('/readyz').then(
      ({ code }) => code === 200,
      () => false,
    );
    setTimeout(() => ready.set(replica, isReady), propagationMs);
  };
  const join = (socket: Socket, twin: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      // What it has said may still be on its way.
      twin.destroySoon();
    });
    socket.pipe(twin);
  };
  const server = createServer({ noDelay: true }, (client) => {
    const endpoints = [...ready].filter(([, isReady]) => isReady).map(([replica]) => replica);
    const endpoint = endpoints[turn++ % endpoints.length];
    if (endpoint === undefined) {
      turnedAway += 1;
      client.destroy();
      return;
    }
    const target = connect({ port: endpoint.webhookPort, host: '127.0.0.1', noDelay: true });
    const there = sent.get(endpoint) ?? new Set();
    sent.set(endpoint, there.add(target));
    target.once('close', () => there.delete(target));
    join(client, target);
    join(target, client);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  const pollAll = async (): Promise<void> => {
    while (!polling.signal.aborted) {
      await Promise.all([...ready.keys()].map(poll));
      await sleep(POLL_MS, undefined, { signal: polling.signal });
    }
  };
  const polled = pollAll().catch(() => undefined);

  return {
    port: (server.address() as AddressInfo).port,
    get turnedAway() {
      return turnedAway;
    },
    add: (replica) => void ready.set(replica, false),
    heard: (replica) => until(() => ready.get(replica) === true, 60_000),
    left: (replica) => until(() => ready.get(replica) === false && (sent.get(replica)?.size ?? 0) === 0, 60_000),
    [Symbol.asyncDispose]: async () => {
      polling.abort();
      await polled;
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
};
