import type { Observable } from 'rxjs';
import type { BindAddress } from '../util/listen.ts';
import { type Page, type PlainServer, startPlainServer, textPage } from '../util/plain-server.ts';
import { eventStream } from './event-stream.ts';
import type { Status } from './status.ts';

export interface ProbesOptions {
  readonly bind: BindAddress;
  /** Why the process must be restarted; null while it is healthy. */
  readonly live: () => string | null;
  /** Why the replica is not ready; empty when it is. */
  readonly reasons: () => readonly string[];
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
  const { bind, live, reasons, status, changed$, page } = options;
  const alive = (): Page => {
    const failure = live();
    return failure === null ? textPage(200, 'ok') : textPage(500, failure);
  };
  const ready = (): Page => {
    const unready = reasons();
    return unready.length === 0 ? textPage(200, 'ok') : textPage(503, unready.join('\n'));
  };
  return startPlainServer(bind, {
    '/livez': alive,
    '/healthz': alive,
    '/readyz': ready,
    '/status': () => ({ code: 200, contentType: 'application/json', body: `${JSON.stringify(status(), null, 2)}\n` }),
    '/events': eventStream({ changed$, read: () => JSON.stringify(status()) }),
    '/': () => page(status()),
  });
};
