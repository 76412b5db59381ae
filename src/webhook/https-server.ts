import type { RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TlsOptions } from 'node:tls';
import type { ConnectionErrorKind, ReportConnectionError } from './connection-errors.ts';
import { closeGracefully, enforceTimeouts, type WebhookLimits } from './connection-policy.ts';
import { type Connection, type Connections, isAnswering } from './connections.ts';

interface HttpsServerOptions {
  readonly tls: TlsOptions;
  readonly limits: WebhookLimits;
  readonly connections: Connections;
  readonly report: ReportConnectionError;
  /** Counts the swaps so far; taken at the accept, which is when a connection's certificate is decided. */
  readonly generation: () => number;
  readonly answer: RequestListener;
  readonly onHandshakeError: (error: NodeJS.ErrnoException) => void;
  /** Called about once a second while anybody is connected. */
  readonly onSweep: () => void;
}

/** A node:https server with every limit in force; it does not listen yet. */
export const httpsServer = ({ tls, limits, connections, report, ...on }: HttpsServerOptions): Server => {
  // Only a backstop behind the sweep, which can tell a slow header from a connection opened ahead of need.
  const backstopMs = limits.keepAliveTimeoutMs + 5_000;
  const server = createServer({
    ...tls,
    handshakeTimeout: limits.handshakeTimeoutMs,
    maxHeaderSize: limits.maxHeaderBytes,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    headersTimeout: backstopMs,
    requestTimeout: backstopMs,
  });
  const everyMs = Math.min(1_000, limits.headersTimeoutMs / 4, limits.requestTimeoutMs / 4);
  let sweeping: NodeJS.Timeout | null = null;
  const rest = () => {
    if (sweeping !== null) clearInterval(sweeping);
    sweeping = null;
  };
  const tend = () => {
    enforceTimeouts(connections, limits, report);
    on.onSweep();
    // Whom nobody calls need not wake up.
    if (connections.size === 0) rest();
  };
  const accept = (socket: Socket) => {
    sweeping ??= setInterval(tend, everyMs);
    const newcomer: Connection = connections.accept(socket, on.generation());
    if (connections.size <= limits.maxConnections) return;
    report('connection-limit', `more than ${limits.maxConnections} connections`);
    evictConnection(connections, newcomer);
  };
  server.prependListener('connection', accept);
  server.on('secureConnection', (socket) => connections.secure(socket));
  server.on('tlsClientError', on.onHandshakeError);
  server.on('clientError', answerProtocolError(report, connections));
  server.on('request', on.answer);
  server.once('close', rest);
  return server;
};

/**
 * Who goes when there are too many connections: the oldest that has never asked anything, then the one at rest the
 * longest; never one that is being answered. Refusing the newcomer instead would let anybody shut the API server out by
 * holding connections open. That a handshake is done earns nothing and costs nothing: whoever has just finished one has a
 * request on its way, and must not go before those who never begin.
 */
const evictConnection = (connections: Connections, newcomer: Connection): void => {
  let silent: Connection | undefined;
  let resting: Connection | undefined;
  for (const one of connections.all()) {
    if (one === newcomer || one.exchanges.size > 0) continue;
    if (one.stage === 'used') resting ??= one;
    else if (silent === undefined || one.order < silent.order) silent = one;
  }
  (silent ?? resting ?? newcomer).socket.destroy();
};

const answers: readonly (readonly [RegExp, ConnectionErrorKind, string])[] = [
  [/^HPE_HEADER_OVERFLOW$/, 'header-too-large', '431 Request Header Fields Too Large'],
  [/^HPE_INVALID_EOF_STATE$/, 'malformed-request', ''],
  [/^HPE_/, 'malformed-request', '400 Bad Request'],
];

/**
 * Bytes that are no HTTP: answered once where the line is still free, then closed. Failed handshakes arrive here too,
 * as https forwards them; they have been reported elsewhere and can be told nothing.
 */
const answerProtocolError =
  (report: ReportConnectionError, connections: Connections) =>
  (error: NodeJS.ErrnoException, socket: Duplex): void => {
    const connection = connections.of(socket);
    // Whatever else comes is dropped until the peer has taken the last word.
    if (connection?.stage === 'parting') return;
    const [, kind, status] = answers.find(([pattern]) => pattern.test(error.code ?? '')) ?? [];
    if (kind !== undefined) report(kind, error.message);
    const isFree = connection !== undefined && socket.writable && !isAnswering(connection);
    if (!isFree || status === undefined || status === '') socket.destroy();
    else closeGracefully(connection, `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  };
