import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { monotonicMs } from '../util/time.ts';

const peer = (socket: Socket) => `${String(socket.remoteAddress)} ${String(socket.remotePort)}`;

/** The book of open connections: who is greeting, who rests, who is being answered; the longest at rest comes first. */
export class Connections {
  readonly #handshaking = new Map<string, Connection>();
  readonly #secured = new Map<Duplex, Connection>();
  readonly #emptied = new Set<() => void>();
  #accepted = 0;

  get size(): number {
    return this.#handshaking.size + this.#secured.size;
  }

  *all(): Generator<Connection> {
    yield* this.#handshaking.values();
    yield* this.#secured.values();
  }

  *resting(): Generator<Connection> {
    for (const connection of this.#secured.values())
      if (connection.exchanges.size === 0 && connection.stage !== 'parting') yield connection;
  }

  *exchanges(): Generator<Exchange> {
    for (const connection of this.#secured.values()) yield* connection.exchanges;
  }

  of(socket: Duplex): Connection | undefined {
    return this.#secured.get(socket);
  }

  accept(socket: Socket, generation: number): Connection {
    const key = peer(socket);
    const connection: Connection = {
      socket,
      generation,
      order: this.#accepted++,
      stage: 'handshaking',
      exchanges: new Set(),
      restingSinceMs: monotonicMs(),
      bytesAtRest: 0,
      headerSinceMs: null,
    };
    this.#handshaking.set(key, connection);
    socket.once('close', () => {
      if (this.#handshaking.get(key) === connection) this.#handshaking.delete(key);
      this.#tellEmptied();
    });
    return connection;
  }

  /** The TLS socket does not name the raw one that it wraps: the peer's address joins the two. */
  secure(socket: Socket): void {
    const key = peer(socket);
    const connection = this.#handshaking.get(key);
    if (connection === undefined) return;
    this.#handshaking.delete(key);
    connection.socket = socket;
    connection.stage = 'unused';
    this.#rest(connection);
    this.#secured.set(socket, connection);
    socket.once('close', () => {
      this.#secured.delete(socket);
      this.#tellEmptied();
    });
  }

  begin(request: IncomingMessage, response: ServerResponse): Connection | undefined {
    const connection = this.#secured.get(request.socket);
    if (connection === undefined || connection.stage === 'parting') return connection;
    const exchange: Exchange = { request, response, sinceMs: monotonicMs() };
    connection.stage = 'used';
    connection.headerSinceMs = null;
    connection.exchanges.add(exchange);
    response.once('close', () => this.#end(connection, exchange));
    return connection;
  }

  /** Resolves once nobody is connected. */
  emptied(): Promise<void> {
    return new Promise((resolve) => {
      this.#emptied.add(resolve);
      this.#tellEmptied();
    });
  }

  #end(connection: Connection, exchange: Exchange): void {
    connection.exchanges.delete(exchange);
    this.#rest(connection);
    // To the end of the line: the map keeps the order in which connections came to rest.
    if (this.#secured.delete(connection.socket)) this.#secured.set(connection.socket, connection);
  }

  #rest(connection: Connection): void {
    connection.restingSinceMs = monotonicMs();
    connection.bytesAtRest = connection.socket.bytesRead;
  }

  #tellEmptied(): void {
    if (this.size > 0) return;
    for (const tell of this.#emptied) tell();
    this.#emptied.clear();
  }
}

/** One request and its answer, from the end of the header to the last byte taken. */
interface Exchange {
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

/** Something of an answer is already on the line. */
export const isAnswering = ({ exchanges }: Connection): boolean =>
  [...exchanges].some(({ response }) => response.headersSent);
