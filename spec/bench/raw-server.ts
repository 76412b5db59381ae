import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createServer } from 'node:tls';

/**
 * The floor: a TLS socket, the same JSON, and the least of HTTP that the load generator needs, `node raw-server.mjs PORT
 * DIRECTORY`. The difference to the bare server is the most that a request
 * reader in place of node:http could save. It checks nothing, and is not fit for use.
 */
const [, , port = '0', directory = ''] = process.argv;

const pair = {
  cert: readFileSync(join(directory, 'tls.crt')),
  key: readFileSync(join(directory, 'tls.key')),
  minVersion: 'TLSv1.3' as const,
};

const answerTo = (body: string): string => {
  const { request } = JSON.parse(body) as { readonly request: { readonly uid: string } };
  const review = {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid: request.uid, allowed: true },
  };
  const text = JSON.stringify(review);
  return `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
};

createServer(pair, (socket) => {
  let held: Buffer = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    for (let head = held.indexOf('\r\n\r\n'); head >= 0; head = held.indexOf('\r\n\r\n')) {
      const length = Number(/content-length: *(\d+)/i.exec(held.toString('latin1', 0, head))?.[1] ?? 0);
      const end = head + 4 + length;
      if (held.length < end) return;
      socket.write(answerTo(held.toString('utf8', head + 4, end)));
      held = held.subarray(end);
    }
  });
}).listen(Number(port), '127.0.0.1');
