import type { RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { answerProtocolError } from './answer-protocol-error.ts';
import type { Connection } from './connection.ts';
import type { Connections } from './connections.ts';
import type { WebhookLimits } from './limits.ts';
import { makeRoom } from './make-room.ts';
import { sweep } from './sweep.ts';
import type { ReportTrouble } from './trouble.ts';

export interface HttpsServerOptions {
  readonly tls: TlsOptions;
  readonly limits: WebhookLimits;
  readonly connections: Connections;
  readonly report: ReportTrouble;
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
    sweep(connections, limits, report);
    on.onSweep();
    // Whom nobody calls need not wake up.
    if (connections.size === 0) rest();
  };
  const accept = (socket: Socket) => {
    sweeping ??= setInterval(tend, everyMs);
    const newcomer: Connection = connections.accept(socket, on.generation());
    if (connections.size <= limits.maxConnections) return;
    report('connection-limit', `more than ${limits.maxConnections} connections`);
    makeRoom(connections, newcomer);
  };
  server.prependListener('connection', accept);
  server.on('secureConnection', (socket) => connections.secure(socket));
  server.on('tlsClientError', on.onHandshakeError);
  server.on('clientError', answerProtocolError(report, connections));
  server.on('request', on.answer);
  server.once('close', rest);
  return server;
};
