import { concat, defer, distinctUntilChanged, interval, map, merge, type Observable, of, throttleTime } from 'rxjs';
import type { Stream } from '../util/plain-server.ts';

interface EventStreamOptions {
  /** Emits when the value may be another one. */
  readonly changed$: Observable<unknown>;
  /** The value as one line of text. */
  readonly read: () => string;
}

/** Ten pictures a second are motion enough. */
const SHORTEST_MS = 100;
/** Proxies take a connection that says nothing for dead, some after 30 s. */
const HEARTBEAT_MS = 15_000;
/** A page that does not read is let go. */
const MOST_UNREAD_BYTES = 1 << 20;
/** Nobody watches one replica on more screens; each connection costs some 20 kB. */
const MOST_VIEWERS = 32;

/**
 * Server-sent events: the value as it is, and again whenever it is another one.
 *
 * @returns a route of a plain server
 */
export const eventStream = ({ changed$, read }: EventStreamOptions): (() => Stream) => {
  let viewers = 0;
  const value$ = concat(
    defer(() => of(read())),
    changed$.pipe(throttleTime(SHORTEST_MS, undefined, { leading: true, trailing: true }), map(read)),
  ).pipe(
    distinctUntilChanged(),
    map((value) => `data: ${value}\n\n`),
  );
  const heartbeat$ = interval(HEARTBEAT_MS).pipe(map(() => ': still here\n\n'));

  return () => (response) => {
    if (viewers >= MOST_VIEWERS) {
      response.writeHead(503, { 'Content-Type': 'text/plain', 'Retry-After': '10' }).end('too many are watching\n');
      return;
    }
    viewers += 1;
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' });
    const subscription = merge(value$, heartbeat$).subscribe({
      next: (text) => {
        response.write(text);
        if (response.writableLength > MOST_UNREAD_BYTES) response.destroy();
      },
      // Whoever watches comes again, and a GET of the status says what is broken.
      error: () => response.destroy(),
    });
    response.on('close', () => {
      viewers -= 1;
      subscription.unsubscribe();
    });
  };
};
