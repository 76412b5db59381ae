import type { Duplex } from 'node:stream';
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
  (report: ReportTrouble, isAnswered: (socket: Duplex) => boolean) =>
  (error: NodeJS.ErrnoException, socket: Duplex): void => {
    const [, kind, status] = answers.find(([pattern]) => pattern.test(error.code ?? '')) ?? [];
    if (kind !== undefined) report(kind, error.message);
    if (status === undefined || status === '' || !socket.writable || isAnswered(socket)) {
      socket.destroy();
      return;
    }
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
  };
