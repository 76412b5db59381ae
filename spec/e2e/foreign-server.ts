// A webhook that terminates TLS itself, with the certificate that is mounted: node foreign-server.ts PORT CERTIFICATE KEY, or, without
// these files, one that has it terminated by somebody else: node foreign-server.ts 127.0.0.1:PORT. Other arguments are ignored.
import { existsSync, readFileSync, watch } from 'node:fs';
import { createServer as createPlainServer, type RequestListener } from 'node:http';
import { createServer } from 'node:https';
import { dirname } from 'node:path';

interface Review {
  readonly apiVersion: string;
  readonly request: { readonly uid: string };
}

const [address = '', certificate, key] = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const [port, host] = address.split(':').toReversed();

let isEnding = false;
const admit: RequestListener = (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const review = JSON.parse(Buffer.concat(chunks).toString()) as Review;
    const answer = { uid: review.request.uid, allowed: true };
    response.setHeader('content-type', 'application/json');
    if (isEnding) response.setHeader('connection', 'close');
    response.end(JSON.stringify({ apiVersion: review.apiVersion, kind: 'AdmissionReview', response: answer }));
  });
};

const openTls = (certificatePath: string, keyPath: string) => {
  // The kubelet starts it again until the certificate is mounted.
  if (!existsSync(certificatePath)) process.exit(1);
  const pair = () => ({ cert: readFileSync(certificatePath), key: readFileSync(keyPath) });
  const tls = createServer(pair(), admit);
  tls.on('tlsClientError', () => undefined);
  watch(dirname(certificatePath), () => {
    try {
      tls.setSecureContext(pair());
    } catch {
      // Between two generations; the next event tells of the whole one.
    }
  });
  return tls;
};

const isPlain = certificate === undefined || key === undefined;
const server = isPlain ? createPlainServer(admit) : openTls(certificate, key);
// Longer than the API server keeps an idle connection: it does not repeat a call that crosses a close.
server.keepAliveTimeout = 120_000;
server.listen(Number(port), host);
// Each connection in use ends with its next answer; new calls go to the other replica. What is behind another process outlives it.
process.on('SIGTERM', () => {
  isEnding = true;
  setTimeout(() => server.close(() => process.exit(0)), isPlain ? 15_000 : 5_000);
});
