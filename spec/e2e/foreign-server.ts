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

const server = createServer(pair(), (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const review = JSON.parse(Buffer.concat(chunks).toString()) as Review;
    const answer = { uid: review.request.uid, allowed: true };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ apiVersion: review.apiVersion, kind: 'AdmissionReview', response: answer }));
  });
});
server.on('tlsClientError', () => undefined);
server.listen(Number(port));
watch(directory, () => {
  try {
    server.setSecureContext(pair());
  } catch {
    // Between two generations; the next event tells of the whole one.
  }
});
// Calls that are under way end; new ones go to the other replica.
process.on('SIGTERM', () => setTimeout(() => server.close(() => process.exit(0)), 5_000));
