import { createHash } from 'node:crypto';
import type { ConnectionPool } from './connection-pool.ts';
import type { Access } from './credentials.ts';
import { directPool } from './direct-pool.ts';
import { ApiError } from './errors.ts';
import { proxiedPool } from './proxied-pool.ts';

/** The one pool that all requests share, replaced when the way to the server changes. */
export interface Transport extends AsyncDisposable {
  /** Throws a `KubeProblem` once disposed. */
  poolFor(access: Access): ConnectionPool;
  /**
   * Its connections are suspect, since one went silent: new requests open new ones. What is in flight goes on, until the
   * server answers on another connection: then it was not the server, and the rest of these may be as dead.
   */
  abandon(pool: ConnectionPool): void;
  /** The server has answered on this pool. */
  heard(pool: ConnectionPool): void;
}

const keyOf = ({ server, tls, proxyUrl }: Access): string =>
  createHash('sha256')
    .update(JSON.stringify([server, proxyUrl, tls]))
    .digest('hex');

export const openTransport = (): Transport => {
  const open = new Set<ConnectionPool>();
  const suspect = new Set<ConnectionPool>();
  let disposed = false;
  let current: { readonly key: string; readonly pool: ConnectionPool } | null = null;

  const retire = (pool: ConnectionPool): void => {
    current = null;
    const gone = (): boolean => open.delete(pool) && suspect.delete(pool);
    pool.close().then(gone, gone);
  };

  return {
    poolFor(access) {
      if (disposed) throw new ApiError('the client is closed');
      const key = keyOf(access);
      if (current?.key === key) return current.pool;
      if (current !== null) retire(current.pool);
      const pool = access.proxyUrl === null ? directPool(access) : proxiedPool(access, access.proxyUrl);
      open.add(pool);
      current = { key, pool };
      return pool;
    },
    abandon(pool) {
      if (current?.pool !== pool) return;
      suspect.add(pool);
      retire(pool);
    },
    heard(pool) {
      if (suspect.size === 0 || suspect.has(pool)) return;
      for (const silent of suspect) void silent.destroy();
      suspect.clear();
    },
    async [Symbol.asyncDispose]() {
      disposed = true;
      current = null;
      await Promise.all([...open].map((pool) => pool.destroy()));
    },
  };
};
