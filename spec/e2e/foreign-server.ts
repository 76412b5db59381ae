// A webhook that terminates TLS itself, with the certificate that is mounted: node foreign-server.ts DIRECTORY PORT.
import { existsSync, readFileSync, watch } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';

interface Review {
  readonly apiVersion: string;
  readonly request: { readonly uid: string };
}

const [, , directory = '', port = ''] = process.argv;
const pair = () => ({ cert: readFileSync(join(directory, 'tls.crt')), key: readFileSync(join(directory, 'tls.key')) });
// The kubelet starts it again until the certificate is mounted.
if (!existsSync(join(directory, 'tls.crt'))) process.exit(1);

let isEnding = false;
const server = createServer(pair(), (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const review = JSON.parse(Buffer.concat(chunks).toString()) as Review;
    const answer = { uid: review.request.uid, allowed: true };
    response.setHeader('content-type', 'application/json');
    if (isEnding) response.setHeader('connection', 'close');
    response.end(JSON.stringify({ apiVersion: review.apiVersion, kind: 'AdmissionReview', response: answer }));
  });
});
server.on('tlsClientError', () => undefined);
// Longer than the API server keeps an idle connection: it does not repeat a call that crosses a close.
server.keepAliveTimeout = 120_000;
server.listen(Number(port));
watch(directory, () => {
  try {
    server.setSecureContext(pair());
  } catch {
    // Between two generations; the next event tells of the whole one.
  }
});
// Each connection in use ends with its next answer; new calls go to the other replica.
process.on('SIGTERM', () => {
  isEnding = true;
  setTimeout(() => server.close(() => process.exit(0)), 5_000);
});
