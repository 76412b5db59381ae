import type { RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TlsOptions, TLSSocket } from 'node:tls';
import { monotonicMs } from '../util/time.ts';
import type { ConnectionErrorKind, ReportConnectionError } from './connection-errors.ts';
import { closeGracefully, enforceTimeouts, type WebhookLimits } from './connection-policy.ts';
import { type Connection, type Connections, isAnswering, isAnsweringLast } from './connections.ts';

interface HttpsServerOptions {
  readonly tls: TlsOptions;
  readonly limits: WebhookLimits;
  readonly connections: Connections;
  readonly report: ReportConnectionError;
  /** Number of certificate swaps so far; read at the accept, which decides a connection's certificate. */
  readonly generation: () => number;
  readonly answer: RequestListener;
  readonly onHandshakeError: (error: NodeJS.ErrnoException, socket: TLSSocket) => void;
  /** Called about once a second while connections are open. */
  readonly onSweep: () => void;
}

/** Creates a node:https server with every limit in force; it does not listen yet. */
export const httpsServer = ({ tls, limits, connections, report, ...on }: HttpsServerOptions): Server => {
  // Only a backstop behind enforceTimeouts, which can tell a slow header from a connection opened ahead of need.
  const backstopMs = limits.keepAliveTimeoutMs + 5_000;
  const server = createServer({
    ...tls,
    handshakeTimeout: limits.handshakeTimeoutMs,
    maxHeaderSize: limits.maxHeaderBytes,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    headersTimeout: backstopMs,
    requestTimeout: backstopMs,
  });
  const sweepEveryMs = Math.min(1_000, limits.headersTimeoutMs / 4, limits.requestTimeoutMs / 4);
  let sweeping: NodeJS.Timeout | null = null;
  const stopSweeping = () => {
    if (sweeping !== null) clearInterval(sweeping);
    sweeping = null;
  };
  const sweep = () => {
    enforceTimeouts(connections, limits, report);
    on.onSweep();
    // Without connections there is no reason to wake the process up.
    if (connections.size === 0) stopSweeping();
  };
  const accept = (socket: Socket) => {
    sweeping ??= setInterval(sweep, sweepEveryMs);
    const newcomer: Connection = connections.accept(socket, on.generation());
    if (connections.size <= limits.maxConnections) return;
    report('connection-limit', `more than ${limits.maxConnections} connections`);
    evictConnection(connections, newcomer, limits);
  };
  server.prependListener('connection', accept);
  server.on('secureConnection', (socket) => connections.secure(socket));
  server.on('tlsClientError', on.onHandshakeError);
  server.on('clientError', answerProtocolError(report, connections));
  // Without a listener Node destroys the socket, and a reset can overtake an answer that is still on its way.
  server.on('connect', (_request, socket) => {
    const connection = connections.of(socket);
    if (connection === undefined) socket.destroy();
    else closeGracefully(connection, NO_TUNNEL_RESPONSE);
    socket.resume();
  });
  server.on('request', on.answer);
  server.once('close', stopSweeping);
  return server;
};

const CROWDED_RESPONSE =
  'HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

/** When the request of a connection began that has not arrived in full; null when there is none. */
const incompleteSinceMs = ({ exchanges, stage }: Connection): number | null => {
  for (const { request, response, sinceMs } of exchanges)
    if (stage !== 'closing' && !request.complete && !response.headersSent) return sinceMs;
  return null;
};

/**
 * Evicts one of too many connections: the oldest without any request, or the one whose request has been incomplete for
 * longer than that; then the one that has been idle the longest, then any with an incomplete request. Never one with a
 * complete request in progress. Rejecting the newcomer instead would let any client shut the API server out by holding
 * connections open. A finished handshake makes no difference: a connection that has just finished it is about to carry a
 * request, and must not be evicted before those that never begin one.
 */
const evictConnection = (connections: Connections, newcomer: Connection, { slowMs }: WebhookLimits): void => {
  let unused: Connection | undefined;
  let idle: Connection | undefined;
  let incomplete: Connection | undefined;
  let incompleteMs = Infinity;
  for (const one of connections.all()) {
    const sinceMs = incompleteSinceMs(one);
    if (sinceMs !== null && sinceMs < incompleteMs) [incomplete, incompleteMs] = [one, sinceMs];
    if (one === newcomer || one.exchanges.size > 0) continue;
    if (one.stage === 'used') idle ??= one;
    else if (unused === undefined || one.order < unused.order) unused = one;
  }
  const isSlow = monotonicMs() - incompleteMs >= slowMs && incompleteMs < (unused?.idleSinceMs ?? Infinity);
  const victim = (isSlow ? incomplete : undefined) ?? unused ?? idle ?? incomplete ?? newcomer;
  if (victim === incomplete) closeGracefully(victim, CROWDED_RESPONSE);
  else victim.socket.destroy();
};

const NO_TUNNEL_RESPONSE =
  'HTTP/1.1 405 Method Not Allowed\r\nAllow: POST\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

const protocolErrors: readonly (readonly [RegExp, ConnectionErrorKind, string])[] = [
  [/^HPE_HEADER_OVERFLOW$/, 'header-too-large', '431 Request Header Fields Too Large'],
  [/^HPE_INVALID_EOF_STATE$/, 'malformed-request', ''],
  [/^HPE_/, 'malformed-request', '400 Bad Request'],
];

/**
 * Answers bytes that are no HTTP once, where no other answer has begun, and closes the connection. What follows an
 * answer that closes it is no error: the caller of a refused body stops wherever it is when it has the answer. Failed
 * handshakes arrive here too, because node:https forwards them; they are reported elsewhere and cannot be answered.
 */
const answerProtocolError =
  (report: ReportConnectionError, connections: Connections) =>
  (error: NodeJS.ErrnoException, socket: Duplex): void => {
    const connection = connections.of(socket);
    // What arrives after this side has sent its end is dropped.
    if (connection?.stage === 'closing') return;
    if (connection !== undefined && (socket.writableEnded || isAnsweringLast(connection))) {
      closeGracefully(connection);
      return;
    }
    const [, kind, status] = protocolErrors.find(([pattern]) => pattern.test(error.code ?? '')) ?? [];
    if (kind !== undefined) report(kind, error.message);
    const canAnswer = connection !== undefined && socket.writable && !isAnswering(connection);
    if (!canAnswer || status === undefined || status === '') socket.destroy();
    else closeGracefully(connection, `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  };
