import type { Observable } from 'rxjs';
import type { BindAddress } from '../util/listen.ts';
import { type Page, type PlainServer, startPlainServer, textPage } from '../util/plain-server.ts';
import { eventStream } from './event-stream.ts';
import type { Status } from './status.ts';

export interface ProbesOptions {
  readonly bind: BindAddress;
  /** Why the process should be restarted; null while it lives. */
  readonly live: () => string | null;
  /** Why calls should not be sent here; empty when they may. */
  readonly reasons: () => readonly string[];
  readonly status: () => Status;
  /** Emits when the status may be another one. */
  readonly changed$: Observable<unknown>;
  /** The status page. */
  readonly page: (status: Status) => Page | Promise<Page>;
}

export type Probes = PlainServer;

/**
 * Plain HTTP for the kubelet and for people.
 *
 * @throws Problem when the address cannot be had
 */
export const startProbes = (options: ProbesOptions): Promise<Probes> => {
  const { bind, live, reasons, status, changed$, page } = options;
  const alive = (): Page => {
    const why = live();
    return why === null ? textPage(200, 'ok') : textPage(500, why);
  };
  const ready = (): Page => {
    const why = reasons();
    return why.length === 0 ? textPage(200, 'ok') : textPage(503, why.join('\n'));
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
