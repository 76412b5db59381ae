import type { Bind } from '../listen.ts';
import { startPlainServer, textPage, type Page, type PlainServer } from './plain-server.ts';
import { statusPage } from './status-page.ts';
import type { Status } from './status.ts';

export interface ProbesOptions {
  readonly bind: Bind;
  /** Why the process should be restarted; null while it lives. */
  readonly live: () => string | null;
  /** Why calls should not be sent here; empty when they may. */
  readonly reasons: () => readonly string[];
  readonly status: () => Status;
}

export type Probes = PlainServer;

/**
 * Plain HTTP for the kubelet and for people.
 *
 * @throws Problem when the address cannot be had
 */
export const startProbes = ({ bind, live, reasons, status }: ProbesOptions): Promise<Probes> => {
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
    '/': statusPage,
  });
};
