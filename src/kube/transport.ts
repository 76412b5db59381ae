import { createHash } from 'node:crypto';
import { type Access, type ConnectionPool, directPool, proxiedPool } from './connection-pool.ts';
import { ApiError } from './errors.ts';

/** The one pool that all requests share. It is replaced when the server, its TLS options or the proxy change. */
export interface Transport extends AsyncDisposable {
  /** Throws an {@link ApiError} once disposed. */
  poolFor(access: Access): ConnectionPool;
  /**
   * Takes a pool out of use because one of its connections went silent: new requests open new connections. Requests in
   * flight go on until the server answers on another pool, which shows that the connections are dead and not the server.
   */
  quarantine(pool: ConnectionPool): void;
  /** Records that the server has answered on this pool, and closes the quarantined ones. */
  markAlive(pool: ConnectionPool): void;
}

const keyOf = ({ server, tls, proxyUrl }: Access): string =>
  createHash('sha256')
    .update(JSON.stringify([server, proxyUrl, tls]))
    .digest('hex');

export const openTransport = (): Transport => {
  const open = new Set<ConnectionPool>();
  const quarantined = new Set<ConnectionPool>();
  let disposed = false;
  let current: { readonly key: string; readonly pool: ConnectionPool } | null = null;

  const retire = (pool: ConnectionPool): void => {
    current = null;
    const forget = (): boolean => open.delete(pool) && quarantined.delete(pool);
    pool.close().then(forget, forget);
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
    quarantine(pool) {
      if (current?.pool !== pool) return;
      quarantined.add(pool);
      retire(pool);
    },
    markAlive(pool) {
      if (quarantined.size === 0 || quarantined.has(pool)) return;
      for (const silent of quarantined) void silent.destroy();
      quarantined.clear();
    },
    async [Symbol.asyncDispose]() {
      disposed = true;
      current = null;
      await Promise.all([...open].map((pool) => pool.destroy()));
    },
  };
};
