import type { Follow } from './follow-object.ts';
import type { ObjectStore } from './object-store.ts';
import type { RequestLog } from './request-log.ts';
import type { User } from './users.ts';
import type { WatchTally } from './watch-tally.ts';

export interface ApiServerOptions {
  /** Who may call, beside the administrator whose token is `adminToken`. */
  readonly users?: readonly User[];
  /** 0, the default, takes a free one and keeps it over `stop` and `start`. */
  readonly port?: number;
  /** Default 60 s, as kube-apiserver. */
  readonly bookmarkIntervalMs?: number;
  /** How many changes a watch can be resumed from. Default 10,000. */
  readonly historyLimit?: number;
}

/** A Kubernetes API server inside this process, with the faults of a real one at hand. */
export interface EmbeddedApiServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly caPem: string;
  readonly adminToken: string;
  readonly store: ObjectStore;
  /** For a kubelet in the same process. */
  readonly follow: Follow;
  readonly requests: RequestLog;
  readonly watchEvents: WatchTally;
  /** How many TLS connections have ever been accepted. */
  readonly connections: number;
  readonly openWatches: number;
  /** The text of a kubeconfig file for a token; the administrator's by default. */
  kubeconfig(token?: string): string;
  addUser(user: User): void;
  /** Ends every watch in good order, as kube-apiserver does when its time is up. */
  endWatches(): void;
  /** Destroys every connection, whatever is on it. */
  cutConnections(): void;
  /** Forgets all changes so far: whoever watches from before gets 410. */
  compact(): void;
  /** Half-open: connections are accepted and requests read, but nothing is answered until `thaw`. */
  freeze(): void;
  thaw(): void;
  /** Refuses connections and destroys those there are. What stands in the store stays. */
  stop(): Promise<void>;
  /** Listens again on the same port. */
  start(): Promise<void>;
}
