import type { Connection } from './connection.ts';

/** How long a caller has to take the last word and to close its half, ms. */
const patienceMs = 1_000;

/**
 * Closes a connection with a last word that is sure to arrive. Only our half is closed at first, and what still comes is
 * taken and dropped: bytes that reach a closed socket are answered by a reset, which can overtake what was said before.
 */
export const hangUp = (connection: Connection, lastWord: string): void => {
  const { socket } = connection;
  connection.stage = 'parting';
  socket.end(lastWord);
  const timer = setTimeout(() => socket.destroy(), patienceMs);
  socket.once('close', () => clearTimeout(timer));
};
