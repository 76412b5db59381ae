import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Connection } from './connection.ts';
import type { Connections } from './connections.ts';

export type Leaving = (connection: Connection) => boolean;

/**
 * Ends connections without failing a call on them. HTTP/1.1 cannot tell a caller that a resting connection is about to
 * close, so one in use is ended by its next answer, which says `Connection: close`, and only one that has rested for
 * `quietMs` is simply closed: a request may be on its way to it, but hardly in just that instant.
 */
export const partWith = async (connections: Connections, isLeaving: Leaving, quietMs: number): Promise<void> => {
  for (const connection of connections.all())
    if (isLeaving(connection)) for (const { response } of connection.exchanges) response.shouldKeepAlive = false;
  // One turn of the loop reads what has already arrived.
  await nextTurn();
  const quietSinceMs = Date.now() - quietMs;
  for (const connection of connections.resting())
    if (isLeaving(connection) && connection.restingSinceMs <= quietSinceMs) connection.socket.destroySoon();
};
