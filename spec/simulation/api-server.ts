import { type Collection, collection, type Versions, type Written } from './collection.ts';
import type { WrittenSignal } from './signal.ts';
import type { StoredAuthority, StoredLease, StoredPod, StoredSecret, StoredTarget } from './stored-objects.ts';

export interface ApiServer {
  readonly versions: Versions;
  readonly lease: Collection<StoredLease>;
  readonly secret: Collection<StoredSecret>;
  readonly authority: Collection<StoredAuthority>;
  /** SOURCE_SECRET, into which an issuer writes that is relayed. */
  readonly source: Collection<StoredSecret>;
  readonly target: Collection<StoredTarget>;
  readonly pod: Collection<StoredPod>;
  /** The targets of which every write by a replica is refused. */
  readonly refusing: Set<string>;
}

/** Everything that stands in the cluster, under one counter of versions. */
export const apiServer = (tell: (signal: WrittenSignal) => void): ApiServer => {
  let newest = 100;
  const versions: Versions = { newest: () => newest, next: () => ++newest };
  const kind = <T>(signal: (written: Written<T>) => WrittenSignal): Collection<T> =>
    collection<T>(versions, (written) => tell(signal(written)));
  return {
    versions,
    lease: kind((written) => ({ type: 'written', kind: 'lease', ...written })),
    secret: kind((written) => ({ type: 'written', kind: 'secret', ...written })),
    authority: kind((written) => ({ type: 'written', kind: 'authority', ...written })),
    source: kind((written) => ({ type: 'written', kind: 'source', ...written })),
    target: kind((written) => ({ type: 'written', kind: 'target', ...written })),
    refusing: new Set(),
    pod: kind((written) => ({ type: 'written', kind: 'pod', ...written })),
  };
};
