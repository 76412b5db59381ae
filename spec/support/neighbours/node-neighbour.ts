import { once } from 'node:events';
import { type FSWatcher, readFileSync, realpathSync, watch } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { dirname, join } from 'node:path';
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
  /** Ends each connection after an answer, so that each call needs a handshake. Default false. */
  readonly closes?: boolean;
}

/** A webhook in Node that terminates TLS itself, with a certificate that it reads from the mount. */
export interface NodeNeighbour extends AsyncDisposable {
  reload(): void;
  /** Reads the mount anew, as after a crash of its container. */
  restart(): Promise<void>;
}

/** Starts once a certificate is mounted, as a container that waits for its startup probe, or that crashes until then. */
export const startNodeNeighbour = async (options: NodeNeighbourOptions): Promise<NodeNeighbour> => {
  const { directory, port, name, habit, closes = false } = options;
  /** Both files of one version of the volume, or null while there is none: a kubelet may swap it between two reads. */
  const pair = (): { readonly cert: Buffer; readonly key: Buffer } | null => {
    try {
      const mounted = dirname(realpathSync(join(directory, 'tls.crt')));
      return { cert: readFileSync(join(mounted, 'tls.crt')), key: readFileSync(join(mounted, 'tls.key')) };
    } catch {
      return null;
    }
  };
  const listen = async (): Promise<Server> => {
    await until(() => pair() !== null, 40_000);
    const server = createServer(pair() ?? {}, admittingListener(name)).listen(port, '127.0.0.1');
    if (closes) server.maxRequestsPerSocket = 1;
    // A handshake that is broken off is no affair of this server.
    server.on('tlsClientError', () => undefined);
    await once(server, 'listening');
    return server;
  };
  let server = await listen();
  const close = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  const reload = (): void => {
    const mounted = pair();
    if (mounted !== null) server.setSecureContext(mounted);
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
