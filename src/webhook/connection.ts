import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** One request and its answer, from the end of the header to the last byte taken. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly sinceMs: number;
}

/** One TCP connection. `socket` is the raw one until the handshake is done, the TLS one afterwards. */
export interface Connection {
  socket: Socket;
  /** Which certificate it was greeted with: counts the swaps before it. */
  readonly generation: number;
  /** Counts the connections before it. */
  readonly order: number;
  /** Parting: our half is closed, and nothing that comes is answered any more. */
  stage: 'handshaking' | 'unused' | 'used' | 'parting';
  readonly exchanges: Set<Exchange>;
  /** When it last came to rest: its last answer, or the handshake. */
  restingSinceMs: number;
  /** What had been read by then: more than that is the start of a header. */
  bytesAtRest: number;
  /** When that start was first seen; null while there is none. */
  headerSinceMs: number | null;
}
