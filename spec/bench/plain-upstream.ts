import { createServer } from 'node:http';

/** What stands behind the front, the least that answers an AdmissionReview: `node plain-upstream.mjs PORT`. */
const [, , port = '0'] = process.argv;

createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { request: asked } = JSON.parse(Buffer.concat(chunks).toString()) as { readonly request: { uid: string } };
    const answer = { uid: asked.uid, allowed: true };
    const text = JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: answer });
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
    response.end(text);
  });
}).listen(Number(port), '127.0.0.1');
