import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { monotonicMs } from '../util/time.ts';

/** Registry of open connections, idle ones ordered by idle time, longest first. */
export class Connections {
  readonly #handshaking = new Map<string, Connection>();
  readonly #secured = new Map<Duplex, Connection>();
  readonly #emptyListeners = new Set<() => void>();
  #accepted = 0;

  get size(): number {
    return this.#handshaking.size + this.#secured.size;
  }

  *all(): Generator<Connection> {
    yield* this.#handshaking.values();
    yield* this.#secured.values();
  }

  *idle(): Generator<Connection> {
    for (const connection of this.#secured.values())
      if (connection.exchanges.size === 0 && connection.stage !== 'closing') yield connection;
  }

  of(socket: Duplex): Connection | undefined {
    return this.#secured.get(socket);
  }

  /** Registers a TCP connection before its handshake. */
  accept(socket: Socket, generation: number): Connection {
    const key = peerKey(socket);
    const connection: Connection = {
      socket,
      generation,
      order: this.#accepted++,
      stage: 'handshaking',
      exchanges: new Set(),
      idleSinceMs: monotonicMs(),
      bytesWhenIdle: 0,
      headerSinceMs: null,
    };
    this.#handshaking.set(key, connection);
    socket.once('close', () => {
      if (this.#handshaking.get(key) === connection) this.#handshaking.delete(key);
      this.#notifyIfEmpty();
    });
    return connection;
  }

  /** Registers the TLS socket after the handshake. It has no reference to the raw one: the peer's address joins the two. */
  secure(socket: Socket): void {
    const key = peerKey(socket);
    const connection = this.#handshaking.get(key);
    if (connection === undefined) return;
    this.#handshaking.delete(key);
    connection.socket = socket;
    connection.stage = 'unused';
    this.#markIdle(connection);
    this.#secured.set(socket, connection);
    socket.once('close', () => {
      this.#secured.delete(socket);
      this.#notifyIfEmpty();
    });
  }

  /** Registers a request on its connection; undefined when the connection is unknown. */
  begin(request: IncomingMessage, response: ServerResponse): Connection | undefined {
    const connection = this.#secured.get(request.socket);
    if (connection === undefined || connection.stage === 'closing') return connection;
    const exchange: Exchange = { request, response, sinceMs: monotonicMs() };
    connection.stage = 'used';
    connection.headerSinceMs = null;
    connection.exchanges.add(exchange);
    // Not `once`, here and wherever a listener is added for each request: it costs more than the listener itself.
    response.on('close', () => this.#end(connection, exchange));
    return connection;
  }

  /** Resolves once no connection is open. */
  emptied(): Promise<void> {
    return new Promise((resolve) => {
      this.#emptyListeners.add(resolve);
      this.#notifyIfEmpty();
    });
  }

  #end(connection: Connection, exchange: Exchange): void {
    connection.exchanges.delete(exchange);
    this.#markIdle(connection);
    // Moved to the end: the map keeps the order in which connections became idle.
    if (this.#secured.delete(connection.socket)) this.#secured.set(connection.socket, connection);
  }

  #markIdle(connection: Connection): void {
    connection.idleSinceMs = monotonicMs();
    connection.bytesWhenIdle = connection.socket.bytesRead;
  }

  #notifyIfEmpty(): void {
    if (this.size > 0) return;
    for (const notify of this.#emptyListeners) notify();
    this.#emptyListeners.clear();
  }
}

/** One request and its answer, from the end of the header to the last byte received by the caller. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly sinceMs: number;
}

/** One TCP connection. `socket` is the raw socket during the handshake, the TLS socket afterwards. */
export interface Connection {
  socket: Socket;
  /** Number of certificate swaps before the accept, which decides the certificate that the connection got. */
  readonly generation: number;
  /** Number of connections accepted before. */
  readonly order: number;
  /** Closing: this side has sent its end, and what still arrives is dropped. */
  stage: 'handshaking' | 'unused' | 'used' | 'closing';
  readonly exchanges: Set<Exchange>;
  /** Time of the last answer or, before the first, of the handshake. */
  idleSinceMs: number;
  /** Bytes read by then: more than that is the start of a header. */
  bytesWhenIdle: number;
  /** When that start was first seen; null while there is none. */
  headerSinceMs: number | null;
}

const peerKey = (socket: Socket) => `${String(socket.remoteAddress)} ${String(socket.remotePort)}`;

/** Whether an answer has begun: another one would be appended to it. */
export const isAnswering = ({ exchanges }: Connection): boolean =>
  [...exchanges].some(({ response }) => response.headersSent);

/** Whether the answer that has begun announced that it is the connection's last, as that of a body not read to its end does. */
export const isAnsweringLast = ({ exchanges }: Connection): boolean =>
  [...exchanges].some(({ response }) => response.headersSent && !response.shouldKeepAlive);
