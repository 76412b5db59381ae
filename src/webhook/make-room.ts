import type { Connection } from './connection.ts';
import type { Connections } from './connections.ts';

/**
 * Who goes when there are too many connections: the oldest that has never asked anything, then the one at rest the
 * longest; never one that is being answered. Refusing the newcomer instead would let anybody shut the API server out by
 * holding connections open. That a handshake is done earns nothing and costs nothing: whoever has just finished one has a
 * request on its way, and must not go before those who never begin.
 */
export const makeRoom = (connections: Connections, newcomer: Connection): void => {
  let silent: Connection | undefined;
  let resting: Connection | undefined;
  for (const one of connections.all()) {
    if (one === newcomer || one.exchanges.size > 0) continue;
    if (one.stage === 'used') resting ??= one;
    else if (silent === undefined || one.order < silent.order) silent = one;
  }
  (silent ?? resting ?? newcomer).socket.destroy();
};
