import { Subject } from 'rxjs';
import { page } from '../page/page.ts';
import type { SeenReplica } from '../page/seen-replica.ts';
import { eventStream } from '../probes/event-stream.ts';
import { startPlainServer } from '../probes/plain-server.ts';
import type { PlainServer } from '../probes/plain-server.ts';
import { listenTo } from './listen-to.ts';
import type { DemoReplica } from './start-replica.ts';

/**
 * The status page with all replicas on it, drawn from what each says of itself.
 *
 * @param port 0 for any free one
 */
export const startFleetPage = async (
  replicas: readonly Pick<DemoReplica, 'name' | 'probePort'>[],
  port: number,
): Promise<PlainServer> => {
  await using opened = new AsyncDisposableStack();
  const seen = new Map(replicas.map(({ name }): [string, SeenReplica] => [name, { name, status: null }]));
  const changed$ = new Subject<void>();
  for (const { name, probePort } of replicas) {
    const listening = listenTo(probePort).subscribe((status) => {
      seen.set(name, { name, status });
      changed$.next();
    });
    opened.defer(() => listening.unsubscribe());
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
