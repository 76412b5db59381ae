import { setImmediate as nextTurn } from 'node:timers/promises';
import { monotonicMs } from '../util/time.ts';
import type { ConnectionErrorKind, ReportConnectionError } from './connection-errors.ts';
import { type Connection, type Connections, isAnswering } from './connections.ts';

/** What one client may take from the server. All times in ms. */
export interface WebhookLimits {
  /** Open TCP connections; beyond it the one that is least missed makes room. */
  readonly maxConnections: number;
  readonly maxHeaderBytes: number;
  /** From TCP accept to the end of the TLS handshake. */
  readonly handshakeTimeoutMs: number;
  /** From a request's first byte to the end of its header. */
  readonly headersTimeoutMs: number;
  /** From the end of the header to the end of the body. */
  readonly requestTimeoutMs: number;
  /** From the end of the header until the client has taken the whole answer. */
  readonly exchangeTimeoutMs: number;
  /** How long a connection may rest between requests. */
  readonly keepAliveTimeoutMs: number;
  /** How long a connection that is to go must have rested before it is closed without an answer to say so. */
  readonly quietMs: number;
}

/**
 * A resting connection costs about 90 KiB (measured on Node 26, TLS 1.3): all of them together about 45 MiB.
 *
 * An API server waits at most 30 s for a webhook and drops its own idle connections after 90 s (net/http's
 * IdleConnTimeout); staying longer than it does means that it is never us who close under a request on its way.
 */
export const defaultLimits: WebhookLimits = {
  maxConnections: 512,
  maxHeaderBytes: 16 * 1024,
  handshakeTimeoutMs: 10_000,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  exchangeTimeoutMs: 65_000,
  keepAliveTimeoutMs: 120_000,
  quietMs: 1_000,
};

const TOO_SLOW = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

// Node's own header timeout also counts from the accept, and would close a connection that a caller opened ahead of
// need just as it begins to use it. Bytes read while at rest are what tells a slow header from a patient caller.
const lateHeader = (connection: Connection, limits: WebhookLimits, nowMs: number): boolean => {
  if (connection.stage === 'handshaking' || connection.exchanges.size > 0) return false;
  if (connection.socket.bytesRead <= connection.bytesAtRest) return false;
  connection.headerSinceMs ??= nowMs;
  return nowMs - connection.headerSinceMs >= limits.headersTimeoutMs;
};

const overdue = (connection: Connection, limits: WebhookLimits, nowMs: number): ConnectionErrorKind | null => {
  for (const { request, sinceMs } of connection.exchanges) {
    if (!request.complete && nowMs - sinceMs >= limits.requestTimeoutMs) return 'slow-body';
    if (nowMs - sinceMs >= limits.exchangeTimeoutMs) return 'slow-reader';
  }
  return lateHeader(connection, limits, nowMs) ? 'slow-header' : null;
};

const reasons: Partial<Record<ConnectionErrorKind, string>> = {
  'slow-header': 'the header was not complete in time',
  'slow-body': 'the body was not complete in time',
  'slow-reader': 'the answer was not taken in time',
};

/** Ends every connection that is slower than the limits allow; with a 408 where nothing has been answered yet. */
export const enforceTimeouts = (
  connections: Connections,
  limits: WebhookLimits,
  report: ReportConnectionError,
): void => {
  const nowMs = monotonicMs();
  for (const connection of connections.all()) {
    const kind = connection.stage === 'parting' ? null : overdue(connection, limits, nowMs);
    if (kind === null) continue;
    report(kind, reasons[kind] ?? kind);
    if (kind === 'slow-reader' || isAnswering(connection)) connection.socket.destroy();
    else closeGracefully(connection, TOO_SLOW);
  }
};

type Leaving = (connection: Connection) => boolean;

/**
 * Said where nothing was asked, for the one caller whose request is on its way just then. It takes this for the answer,
 * and client-go, which tries no POST again whose connection merely closed, tries again after any 5xx with `Retry-After`.
 * A Go client at rest logs one line about it and closes.
 */
const FAREWELL = 'HTTP/1.1 503 Leaving\r\nRetry-After: 0\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

/**
 * Ends connections without failing a call on them. HTTP/1.1 cannot tell a caller that a resting connection is about to
 * close, so one in use is ended by its next answer, which says `Connection: close`, and only one that has rested for
 * `quietMs` is ended by a farewell.
 */
export const drainConnections = async (
  connections: Connections,
  isLeaving: Leaving,
  quietMs: number,
): Promise<void> => {
  for (const connection of connections.all())
    if (isLeaving(connection)) for (const { response } of connection.exchanges) response.shouldKeepAlive = false;
  // One turn of the loop reads what has already arrived.
  await nextTurn();
  const quietSinceMs = monotonicMs() - quietMs;
  for (const connection of connections.resting())
    if (isLeaving(connection) && connection.restingSinceMs <= quietSinceMs) closeGracefully(connection, FAREWELL);
};

/** How long a caller has to take the last word and to close its half, ms. */
const PATIENCE_MS = 1_000;

/**
 * Closes a connection with a last word that is sure to arrive. Only our half is closed at first, and what still comes is
 * taken and dropped: bytes that reach a closed socket are answered by a reset, which can overtake what was said before.
 */
export const closeGracefully = (connection: Connection, lastWord: string): void => {
  const { socket } = connection;
  connection.stage = 'parting';
  socket.end(lastWord);
  const timer = setTimeout(() => socket.destroy(), PATIENCE_MS);
  socket.once('close', () => clearTimeout(timer));
};
