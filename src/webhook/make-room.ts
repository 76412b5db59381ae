import type { Connection } from './connection.ts';
import type { Connections } from './connections.ts';

const order = ['unused', 'handshaking', 'used'] as const;

/**
 * Who goes when there are too many connections: the oldest that has never asked anything, then the oldest still
 * shaking hands, then the one at rest the longest; never one that is being answered. Refusing the newcomer instead
 * would let anybody shut the API server out by holding connections open.
 */
export const makeRoom = (connections: Connections, newcomer: Connection): void => {
  const atRest = [...connections.all()].filter((one) => one !== newcomer && one.exchanges.size === 0);
  const victim = order.map((stage) => atRest.find((one) => one.stage === stage)).find((one) => one !== undefined);
  (victim ?? newcomer).socket.destroy();
};
