import { concat, defer, distinctUntilChanged, interval, map, merge, type Observable, of, throttleTime } from 'rxjs';
import type { BindAddress } from '../util/listen.ts';
import { type Page, type PlainServer, startPlainServer, type Stream, textPage } from '../util/plain-server.ts';
import type { Status } from './status.ts';

interface EventStreamOptions {
  /** Emits when the value may have changed. */
  readonly changed$: Observable<unknown>;
  /** The value as one line of text. */
  readonly read: () => string;
}

/** Minimum interval between two values. */
const MIN_INTERVAL_MS = 100;
/** Proxies close idle connections, some after 30 s. */
const HEARTBEAT_MS = 15_000;
/** A client with more unread bytes is disconnected. */
const MAX_UNREAD_BYTES = 1 << 20;
/** Limit of open connections, each of which takes about 20 kB. */
const MAX_CLIENTS = 32;

/**
 * Sends a value as server-sent events: once immediately, then on every change.
 *
 * @returns a route of a plain server
 */
export const eventStream = ({ changed$, read }: EventStreamOptions): (() => Stream) => {
  let clients = 0;
  const value$ = concat(
    defer(() => of(read())),
    changed$.pipe(throttleTime(MIN_INTERVAL_MS, undefined, { leading: true, trailing: true }), map(read)),
  ).pipe(
    distinctUntilChanged(),
    map((value) => `data: ${value}\n\n`),
  );
  const heartbeat$ = interval(HEARTBEAT_MS).pipe(map(() => ': heartbeat\n\n'));

  return () => (response) => {
    if (clients >= MAX_CLIENTS) {
      response.writeHead(503, { 'Content-Type': 'text/plain', 'Retry-After': '10' }).end('too many clients\n');
      return;
    }
    clients += 1;
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' });
    const subscription = merge(value$, heartbeat$).subscribe({
      next: (text) => {
        // An ended or destroyed response is still subscribed until it has closed, which takes longer under load.
        if (response.writableEnded || response.destroyed) return;
        response.write(text);
        if (response.writableLength > MAX_UNREAD_BYTES) response.destroy();
      },
      // The client reconnects, and a GET of the status reports the error.
      error: () => response.destroy(),
    });
    response.on('close', () => {
      clients -= 1;
      subscription.unsubscribe();
    });
  };
};

export interface ProbesOptions {
  readonly bind: BindAddress;
  /** Why the process must be restarted; null while it is healthy. */
  readonly live: () => string | null;
  /** Why the replica is not ready; empty when it is. */
  readonly reasons: () => readonly string[];
  /** What a ready replica still waits for; one line each, after the `ok`. */
  readonly notes?: () => readonly string[];
  /** Whether the announced certificate is mounted, so that a server which needs the file may be started. */
  readonly isMounted?: () => boolean;
  readonly status: () => Status;
  /** Emits when the status may have changed. */
  readonly changed$: Observable<unknown>;
  /** Renders the status page. */
  readonly page: (status: Status) => Page | Promise<Page>;
}

export type Probes = PlainServer;

/**
 * Serves the probes for the kubelet, and status and status page for people, over plain HTTP.
 *
 * @throws Problem when the address cannot be bound
 */
export const startProbes = (options: ProbesOptions): Promise<Probes> => {
  const { bind, live, reasons, notes = () => [], isMounted = () => false, status, changed$, page } = options;
  const alive = (): Page => {
    const failure = live();
    return failure === null ? textPage(200, 'ok') : textPage(500, failure);
  };
  const ready = (): Page => {
    const unready = reasons();
    return unready.length === 0 ? textPage(200, ['ok', ...notes()].join('\n')) : textPage(503, unready.join('\n'));
  };
  return startPlainServer(bind, {
    '/livez': alive,
    '/healthz': alive,
    '/readyz': ready,
    '/startupz': () => (isMounted() ? textPage(200, 'ok') : textPage(503, 'the announced certificate is not mounted')),
    '/status': () => ({ code: 200, contentType: 'application/json', body: `${JSON.stringify(status(), null, 2)}\n` }),
    '/events': eventStream({ changed$, read: () => JSON.stringify(status()) }),
    '/': () => page(status()),
  });
};
