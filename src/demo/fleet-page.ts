import { get } from 'node:http';
import { createInterface } from 'node:readline';
import { concat, Observable, of, repeat, Subject } from 'rxjs';
import { page } from '../page/page.ts';
import type { SeenReplica } from '../page/replica-card.ts';
import { eventStream } from '../status/probes.ts';
import type { Status } from '../status/status.ts';
import { type PlainServer, startPlainServer } from '../util/plain-server.ts';
import type { DemoReplica } from './fleet.ts';

/**
 * Serves a status page of all replicas, from the status that each reports.
 *
 * @param port 0 for any free port
 */
export const startFleetPage = async (
  replicas: readonly Pick<DemoReplica, 'name' | 'probePort'>[],
  port: number,
): Promise<PlainServer> => {
  await using opened = new AsyncDisposableStack();
  const seen = new Map(replicas.map(({ name }): [string, SeenReplica] => [name, { name, status: null }]));
  const changed$ = new Subject<void>();
  for (const { name, probePort } of replicas) {
    const subscription = statusStream(probePort).subscribe((status) => {
      seen.set(name, { name, status });
      changed$.next();
    });
    opened.defer(() => subscription.unsubscribe());
  }
  const statuses = (): string => JSON.stringify([...seen.values()].map(({ status }) => status));
  const server = opened.use(
    await startPlainServer(
      { host: '127.0.0.1', port },
      {
        '/': () => page([...seen.values()], Date.now()),
        '/status': () => ({ code: 200, contentType: 'application/json', body: `${statuses()}\n` }),
        '/events': eventStream({ changed$, read: statuses }),
      },
    ),
  );
  const everything = opened.move();
  return { port: server.port, [Symbol.asyncDispose]: () => everything.disposeAsync() };
};

const RECONNECT_MS = 500;
const PREFIX = 'data: ';

/** Emits the statuses of one connection. Completes when it ends or fails. */
const connection = (url: string): Observable<Status> =>
  new Observable((subscriber) => {
    const request = get(url, { agent: false }, (response) => {
      const lines = createInterface(response);
      lines.on('line', (line) => {
        if (line.startsWith(PREFIX)) subscriber.next(JSON.parse(line.slice(PREFIX.length)) as Status);
      });
      lines.on('close', () => subscriber.complete());
      // Readline forwards errors of its input.
      lines.on('error', () => subscriber.complete());
    });
    request.on('error', () => subscriber.complete());
    return () => request.destroy();
  });

/** Emits the status of a replica, and null while it does not answer. Never completes. */
const statusStream = (probePort: number): Observable<Status | null> =>
  concat(connection(`http://127.0.0.1:${probePort}/events`), of(null)).pipe(repeat({ delay: RECONNECT_MS }));
