import { get } from 'node:http';
import { createInterface } from 'node:readline';
import { Observable, concat, of, repeat } from 'rxjs';
import type { Status } from '../status.ts';

const AGAIN_MS = 500;
const PREFIX = 'data: ';

/** The statuses that one connection brings. Completes when it ends, however it does. */
const connection = (url: string): Observable<Status> =>
  new Observable((subscriber) => {
    const request = get(url, { agent: false }, (response) => {
      const lines = createInterface(response);
      lines.on('line', (line) => {
        if (line.startsWith(PREFIX)) subscriber.next(JSON.parse(line.slice(PREFIX.length)) as Status);
      });
      lines.on('close', () => subscriber.complete());
      // Readline hands on what goes wrong with its input.
      lines.on('error', () => subscriber.complete());
    });
    request.on('error', () => subscriber.complete());
    return () => request.destroy();
  });

/** The status of a replica for as long as it answers, null while it does not. Never ends. */
export const listenTo = (probePort: number): Observable<Status | null> =>
  concat(connection(`http://127.0.0.1:${probePort}/events`), of(null)).pipe(repeat({ delay: AGAIN_MS }));
