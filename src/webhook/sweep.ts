import { isAnswering } from './is-answering.ts';
import type { Connection } from './connection.ts';
import type { Connections } from './connections.ts';
import { hangUp } from './hang-up.ts';
import type { WebhookLimits } from './limits.ts';
import type { ReportTrouble, TroubleKind } from './trouble.ts';
import { monotonicMs } from '../monotonic-ms.ts';

const tooSlow = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

// Node's own header timeout also counts from the accept, and would close a connection that a caller opened ahead of
// need just as it begins to use it. Bytes read while at rest are what tells a slow header from a patient caller.
const lateHeader = (connection: Connection, limits: WebhookLimits, nowMs: number): boolean => {
  if (connection.stage === 'handshaking' || connection.exchanges.size > 0) return false;
  if (connection.socket.bytesRead <= connection.bytesAtRest) return false;
  connection.headerSinceMs ??= nowMs;
  return nowMs - connection.headerSinceMs >= limits.headersTimeoutMs;
};

const overdue = (connection: Connection, limits: WebhookLimits, nowMs: number): TroubleKind | null => {
  for (const { request, sinceMs } of connection.exchanges) {
    if (!request.complete && nowMs - sinceMs >= limits.requestTimeoutMs) return 'slow-body';
    if (nowMs - sinceMs >= limits.exchangeTimeoutMs) return 'slow-reader';
  }
  return lateHeader(connection, limits, nowMs) ? 'slow-header' : null;
};

const reasons: Partial<Record<TroubleKind, string>> = {
  'slow-header': 'the header was not complete in time',
  'slow-body': 'the body was not complete in time',
  'slow-reader': 'the answer was not taken in time',
};

/** Ends every connection that is slower than the limits allow; with a 408 where nothing has been answered yet. */
export const sweep = (connections: Connections, limits: WebhookLimits, report: ReportTrouble): void => {
  const nowMs = monotonicMs();
  for (const connection of connections.all()) {
    const kind = connection.stage === 'parting' ? null : overdue(connection, limits, nowMs);
    if (kind === null) continue;
    report(kind, reasons[kind] ?? kind);
    if (kind === 'slow-reader' || isAnswering(connection)) connection.socket.destroy();
    else hangUp(connection, tooSlow);
  }
};
