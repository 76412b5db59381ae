import { readFileSync, watch } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';

/**
 * The baseline: what a Node webhook is without any of ours, `node bare-server.mjs PORT DIRECTORY [watch]`. It reads the same
 * files, parses an AdmissionReview and allows it; with `watch` it takes up a new certificate as most do.
 */
const [, , port = '0', directory = '', mode = ''] = process.argv;

const pair = () => ({
  cert: readFileSync(join(directory, 'tls.crt')),
  key: readFileSync(join(directory, 'tls.key')),
  minVersion: 'TLSv1.3' as const,
});

const server = createServer(pair(), (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { request: asked } = JSON.parse(Buffer.concat(chunks).toString()) as { readonly request: { uid: string } };
    const review = {
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: { uid: asked.uid, allowed: true },
    };
    const text = JSON.stringify(review);
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
    response.end(text);
  });
});
server.listen(Number(port), '127.0.0.1');
if (mode === 'watch') {
  watch(directory, (_, name) => {
    if (name === '..data') server.setSecureContext(pair());
  });
}
