import { setImmediate as nextTurn } from 'node:timers/promises';
import { monotonicMs } from '../util/time.ts';
import type { ConnectionErrorKind, ReportConnectionError } from './connection-errors.ts';
import { type Connection, type Connections, isAnswering } from './connections.ts';

/** Limits for the connections of all clients together. All times in ms. */
export interface WebhookLimits {
  /** Open TCP connections; beyond it one is evicted. */
  readonly maxConnections: number;
  readonly maxHeaderBytes: number;
  /** From TCP accept to the end of the TLS handshake. */
  readonly handshakeTimeoutMs: number;
  /** From a request's first byte to the end of its header. */
  readonly headersTimeoutMs: number;
  /** From the end of the header to the end of the body. */
  readonly requestTimeoutMs: number;
  /** From the end of the header until a body that is not complete may be evicted for a newer connection. */
  readonly slowMs: number;
  /** From the end of the header until the client has received the whole answer. */
  readonly exchangeTimeoutMs: number;
  /** Longest idle time between two requests. */
  readonly keepAliveTimeoutMs: number;
  /** Idle time before a connection that must go is closed without an answer that announces it. */
  readonly quietMs: number;
}

/**
 * An idle connection costs about 90 KiB (measured on Node 26, TLS 1.3): 512 of them about 45 MiB.
 *
 * An API server waits at most 30 s for a webhook and drops its own idle connections after 90 s (net/http's
 * IdleConnTimeout). A longer keep-alive than that means that this side never closes under a request on its way.
 */
export const defaultLimits: WebhookLimits = {
  maxConnections: 512,
  maxHeaderBytes: 16 * 1024,
  handshakeTimeoutMs: 10_000,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  slowMs: 1_000,
  exchangeTimeoutMs: 65_000,
  keepAliveTimeoutMs: 120_000,
  quietMs: 1_000,
};

const TIMEOUT_RESPONSE = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

// Node's own header timeout also counts from the accept, and would close a connection that a caller opened ahead of
// need just as it begins to use it. Bytes read while idle distinguish a slow header from an unused connection.
const isHeaderLate = (connection: Connection, limits: WebhookLimits, nowMs: number): boolean => {
  if (connection.stage === 'handshaking' || connection.exchanges.size > 0) return false;
  if (connection.socket.bytesRead <= connection.bytesWhenIdle) return false;
  connection.headerSinceMs ??= nowMs;
  return nowMs - connection.headerSinceMs >= limits.headersTimeoutMs;
};

const exceededTimeout = (connection: Connection, limits: WebhookLimits, nowMs: number): ConnectionErrorKind | null => {
  for (const { request, sinceMs } of connection.exchanges) {
    if (!request.complete && nowMs - sinceMs >= limits.requestTimeoutMs) return 'slow-body';
    if (nowMs - sinceMs >= limits.exchangeTimeoutMs) return 'slow-reader';
  }
  return isHeaderLate(connection, limits, nowMs) ? 'slow-header' : null;
};

const reasons: Partial<Record<ConnectionErrorKind, string>> = {
  'slow-header': 'the header was not complete in time',
  'slow-body': 'the body was not complete in time',
  'slow-reader': 'the answer was not received in time',
};

/** Closes every connection that exceeds a time limit; with a 408 where no answer has begun. */
export const enforceTimeouts = (
  connections: Connections,
  limits: WebhookLimits,
  report: ReportConnectionError,
): void => {
  const nowMs = monotonicMs();
  for (const connection of connections.all()) {
    const kind = connection.stage === 'closing' ? null : exceededTimeout(connection, limits, nowMs);
    if (kind === null) continue;
    report(kind, reasons[kind] ?? kind);
    if (kind === 'slow-reader' || isAnswering(connection)) connection.socket.destroy();
    else closeGracefully(connection, TIMEOUT_RESPONSE);
  }
};

type IsLeaving = (connection: Connection) => boolean;

/**
 * Sent on an idle connection before closing it, in case a request is already in flight. The caller takes it for the
 * answer, and client-go, which never repeats a POST whose connection merely closed, repeats it after any 5xx with
 * `Retry-After` (D-011). An idle Go client logs one line about it and closes.
 */
const GOODBYE_RESPONSE = 'HTTP/1.1 503 Leaving\r\nRetry-After: 0\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

/**
 * Closes connections without failing a call on them. HTTP/1.1 cannot announce that an idle connection is about to
 * close, so a busy one is closed by its next answer, which carries `Connection: close`, and only one that was idle for
 * `quietMs` is closed by a goodbye response.
 */
export const drainConnections = async (
  connections: Connections,
  isLeaving: IsLeaving,
  quietMs: number,
): Promise<void> => {
  for (const connection of connections.all())
    if (isLeaving(connection)) for (const { response } of connection.exchanges) response.shouldKeepAlive = false;
  // One turn of the event loop reads what has already arrived.
  await nextTurn();
  const quietSinceMs = monotonicMs() - quietMs;
  for (const connection of connections.idle())
    if (isLeaving(connection) && connection.idleSinceMs <= quietSinceMs) closeGracefully(connection, GOODBYE_RESPONSE);
};

/** How long a caller has to receive the last bytes and to close its half, ms. */
const HALF_CLOSE_TIMEOUT_MS = 1_000;

/**
 * Closes a connection so that its last response, here or before, is sure to arrive. Only this half is closed at first, and
 * what still arrives is dropped: bytes that reach a closed socket are answered by a reset, which can overtake the response.
 */
export const closeGracefully = (connection: Connection, lastResponse = ''): void => {
  const { socket } = connection;
  connection.stage = 'closing';
  // The last answer may have ended the socket already; writing to it again would be an error.
  if (socket.writable) socket.end(lastResponse);
  const timer = setTimeout(() => socket.destroy(), HALF_CLOSE_TIMEOUT_MS);
  socket.once('close', () => clearTimeout(timer));
};
