import { createHash } from 'node:crypto';
import type { ConnectionPool } from './connection-pool.ts';
import type { Access } from './credentials.ts';
import { directPool } from './direct-pool.ts';
import { KubeProblem } from './kube-problem.ts';
import { proxiedPool } from './proxied-pool.ts';

/** The one pool that all requests share, replaced when the way to the server changes. */
export interface Transport extends AsyncDisposable {
  /** Throws a `KubeProblem` once disposed. */
  poolFor(access: Access): ConnectionPool;
  /** Its connections are suspect (one went silent): new requests open new ones, what is in flight goes on. */
  abandon(pool: ConnectionPool): void;
}

function keyOf({ server, tls, proxyUrl }: Access): string {
  return createHash('sha256')
    .update(JSON.stringify([server, proxyUrl, tls]))
    .digest('hex');
}

export function openTransport(): Transport {
  const open = new Set<ConnectionPool>();
  let disposed = false;
  let current: { readonly key: string; readonly pool: ConnectionPool } | null = null;

  function retire(pool: ConnectionPool): void {
    current = null;
    const gone = (): boolean => open.delete(pool);
    pool.close().then(gone, gone);
  }

  return {
    poolFor(access) {
      if (disposed) throw new KubeProblem('the client is closed');
      const key = keyOf(access);
      if (current?.key === key) return current.pool;
      if (current !== null) retire(current.pool);
      const pool = access.proxyUrl === null ? directPool(access) : proxiedPool(access, access.proxyUrl);
      open.add(pool);
      current = { key, pool };
      return pool;
    },
    abandon(pool) {
      if (current?.pool === pool) retire(pool);
    },
    async [Symbol.asyncDispose]() {
      disposed = true;
      current = null;
      await Promise.all([...open].map((pool) => pool.destroy()));
    },
  };
}
