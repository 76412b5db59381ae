import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { createPki, type Pki } from '../support/pki.ts';

export interface Asked {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** Common name of the client certificate, if one was shown. */
  readonly clientName: string | null;
}

type Script = (response: ServerResponse, asked: Asked) => void;

/** An HTTPS server that does whatever the spec says next, misbehaviour included. */
export interface ScriptedApi extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly pki: Pki;
  readonly asked: readonly Asked[];
  /** TLS connections accepted since the start, and those open now. */
  connections(): number;
  open(): number;
  /** What to do with every request from now on. */
  answer(script: Script): void;
  /** What to do with every request for another protocol; without it such a request is one like the others. */
  upgrade(handler: (request: IncomingMessage, socket: Duplex) => void): void;
  /** Cuts every connection. */
  drop(): void;
}

export interface ScriptedApiOptions {
  /** DNS name on the server's certificate; `localhost` also carries 127.0.0.1. */
  readonly name?: string;
  readonly pki?: Pki;
  readonly port?: number;
}

export const json = (
  response: ServerResponse,
  value: unknown,
  status = 200,
  headers: Record<string, string> = {},
): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
};

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
};

const clientNameOf = (socket: Socket): string | null => {
  if (!(socket instanceof TLSSocket)) return null;
  // Its type promises a certificate; without one it is null or an empty object.
  const shown = socket.getPeerCertificate() as { readonly subject?: { readonly CN?: string } } | null;
  return shown?.subject?.CN ?? null;
};

export const scriptedApi = async (options: ScriptedApiOptions = {}): Promise<ScriptedApi> => {
  const pki = options.pki ?? (await createPki());
  const pair = await pki.issue(options.name ?? 'localhost');
  const asked: Asked[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  let script: Script = (response) => json(response, {});

  const server = createHttps({ ...pair, ca: pki.ca, requestCert: true, rejectUnauthorized: false });
  server.on('request', (request, response) => {
    void bodyOf(request).then((body) => {
      const { method = '', url = '', headers } = request;
      const one = { method, url, headers, body, clientName: clientNameOf(request.socket) };
      asked.push(one);
      script(response, one);
    });
  });
  server.on('secureConnection', (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  });
  server.keepAliveTimeout = 90_000;
  await once(server.listen(options.port ?? 0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    url: `https://127.0.0.1:${port}`,
    port,
    pki,
    asked,
    connections: () => connections,
    open: () => sockets.size,
    upgrade: (handler) => void server.on('upgrade', handler),
    answer(next) {
      script = next;
    },
    drop() {
      for (const socket of sockets) socket.destroy();
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
};
