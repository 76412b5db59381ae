import { readFileSync, watch } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';

/**
 * What the daemon is compared with, without any of ours: `node plain-servers.mjs bare|raw|upstream PORT DIRECTORY [watch]`. Each
 * parses an AdmissionReview and allows it. Node's modules are loaded where they are used, as in the daemon's bundle.
 */
const [, , which = '', port = '0', directory = '', mode = ''] = process.argv;

const pair = () => ({
  cert: readFileSync(join(directory, 'tls.crt')),
  key: readFileSync(join(directory, 'tls.key')),
  minVersion: 'TLSv1.3' as const,
});

const answerTo = (body: string): string => {
  const { request } = JSON.parse(body) as { readonly request: { readonly uid: string } };
  return JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid: request.uid, allowed: true },
  });
};

const answer = (request: IncomingMessage, response: ServerResponse): void => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const text = answerTo(Buffer.concat(chunks).toString());
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
    response.end(text);
  });
};

const servers: Readonly<Record<string, () => void>> = {
  /** The baseline: what a Node webhook is. With `watch` it takes up a new certificate as most do. */
  bare: () => {
    const server = createHttpsServer(pair(), answer).listen(Number(port), '127.0.0.1');
    if (mode !== 'watch') return;
    watch(directory, (_, name) => {
      if (name === '..data') server.setSecureContext(pair());
    });
  },
  /**
   * The floor: a TLS socket and the least of HTTP that the load generator needs. The difference to the bare server is the most
   * that a request reader in place of node:http could save. It checks nothing, and is not fit for use.
   */
  raw: () => {
    createTlsServer(pair(), (socket) => {
      let held: Buffer = Buffer.alloc(0);
      socket.on('error', () => socket.destroy());
      socket.on('data', (chunk: Buffer) => {
        held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
        for (let head = held.indexOf('\r\n\r\n'); head >= 0; head = held.indexOf('\r\n\r\n')) {
          const length = Number(/content-length: *(\d+)/i.exec(held.toString('latin1', 0, head))?.[1] ?? 0);
          const end = head + 4 + length;
          if (held.length < end) return;
          const text = answerTo(held.toString('utf8', head + 4, end));
          socket.write(
            `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
          );
          held = held.subarray(end);
        }
      });
    }).listen(Number(port), '127.0.0.1');
  },
  /** What stands behind the front. */
  upstream: () => {
    createHttpServer(answer).listen(Number(port), '127.0.0.1');
  },
};
servers[which]!();
