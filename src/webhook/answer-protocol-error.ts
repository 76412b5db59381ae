import type { Duplex } from 'node:stream';
import { isAnswering } from './is-answering.ts';
import type { Connections } from './connections.ts';
import { hangUp } from './hang-up.ts';
import type { ReportTrouble, TroubleKind } from './trouble.ts';

const answers: readonly (readonly [RegExp, TroubleKind, string])[] = [
  [/^HPE_HEADER_OVERFLOW$/, 'header-too-large', '431 Request Header Fields Too Large'],
  [/^HPE_INVALID_EOF_STATE$/, 'malformed-request', ''],
  [/^HPE_/, 'malformed-request', '400 Bad Request'],
];

/**
 * Bytes that are no HTTP: answered once where the line is still free, then closed. Failed handshakes arrive here too,
 * as https forwards them; they have been reported elsewhere and can be told nothing.
 */
export const answerProtocolError =
  (report: ReportTrouble, connections: Connections) =>
  (error: NodeJS.ErrnoException, socket: Duplex): void => {
    const connection = connections.of(socket);
    // Whatever else comes is dropped until the peer has taken the last word.
    if (connection?.stage === 'parting') return;
    const [, kind, status] = answers.find(([pattern]) => pattern.test(error.code ?? '')) ?? [];
    if (kind !== undefined) report(kind, error.message);
    const isFree = connection !== undefined && socket.writable && !isAnswering(connection);
    if (!isFree || status === undefined || status === '') socket.destroy();
    else hangUp(connection, `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  };
