import { once } from 'node:events';
import { type FSWatcher, readFileSync, watch } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import { admittingListener } from '../admitting-listener.ts';
import { until } from '../until.ts';

/** When a server reads a new certificate. */
export type ReloadHabit =
  /** So many ms after it was mounted. */
  | { readonly afterMs: number }
  | 'never'
  /** Only when `reload` is called. */
  | 'asked';

export interface NodeNeighbourOptions {
  /** Where the Secret is mounted. */
  readonly directory: string;
  readonly port: number;
  /** Given in a warning of each admission response. */
  readonly name: string;
  readonly habit: ReloadHabit;
}

/** A webhook in Node that terminates TLS itself, with a certificate that it reads from the mount. */
export interface NodeNeighbour extends AsyncDisposable {
  reload(): void;
  /** Reads the mount anew, as after a crash of its container. */
  restart(): Promise<void>;
}

/** Starts once a certificate is mounted, as a container that waits for its startup probe, or that crashes until then. */
export const startNodeNeighbour = async (options: NodeNeighbourOptions): Promise<NodeNeighbour> => {
  const { directory, port, name, habit } = options;
  const pair = () => ({
    cert: readFileSync(join(directory, 'tls.crt')),
    key: readFileSync(join(directory, 'tls.key')),
  });
  const isMounted = (): boolean => {
    try {
      return pair().cert.length > 0;
    } catch {
      return false;
    }
  };
  const listen = async (): Promise<Server> => {
    const server = createServer(pair(), admittingListener(name)).listen(port, '127.0.0.1');
    // A handshake that is broken off is no affair of this server.
    server.on('tlsClientError', () => undefined);
    await once(server, 'listening');
    return server;
  };
  await until(isMounted, 40_000);
  let server = await listen();
  const close = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  const reload = (): void => {
    if (isMounted()) server.setSecureContext(pair());
  };
  const timers = new Set<NodeJS.Timeout>();
  let watcher: FSWatcher | null = null;
  if (typeof habit === 'object')
    watcher = watch(directory, () => {
      timers.add(setTimeout(reload, habit.afterMs));
    });
  return {
    reload,
    restart: async () => {
      await close();
      server = await listen();
    },
    [Symbol.asyncDispose]: async () => {
      watcher?.close();
      for (const timer of timers) clearTimeout(timer);
      await close();
    },
  };
};
