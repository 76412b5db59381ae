import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Connection } from './connection.ts';
import type { Connections } from './connections.ts';
import { hangUp } from './hang-up.ts';
import { monotonicMs } from '../monotonic-ms.ts';

export type Leaving = (connection: Connection) => boolean;

/**
 * Said where nothing was asked, for the one caller whose request is on its way just then. It takes this for the answer,
 * and client-go, which tries no POST again whose connection merely closed, tries again after any 5xx with `Retry-After`.
 * A Go client at rest logs one line about it and closes.
 */
const farewell = 'HTTP/1.1 503 Leaving\r\nRetry-After: 0\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

/**
 * Ends connections without failing a call on them. HTTP/1.1 cannot tell a caller that a resting connection is about to
 * close, so one in use is ended by its next answer, which says `Connection: close`, and only one that has rested for
 * `quietMs` is ended by a farewell.
 */
export const partWith = async (connections: Connections, isLeaving: Leaving, quietMs: number): Promise<void> => {
  for (const connection of connections.all())
    if (isLeaving(connection)) for (const { response } of connection.exchanges) response.shouldKeepAlive = false;
  // One turn of the loop reads what has already arrived.
  await nextTurn();
  const quietSinceMs = monotonicMs() - quietMs;
  for (const connection of connections.resting())
    if (isLeaving(connection) && connection.restingSinceMs <= quietSinceMs) hangUp(connection, farewell);
};
