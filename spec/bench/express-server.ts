import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import express from 'express';

/** A webhook as most in Node are built, express with its JSON parser: `node express-server.mjs PORT DIRECTORY`. */
const [, , port = '0', directory = ''] = process.argv;

const app = express();
app.use(express.json());
app.use((request, response) => {
  const { uid } = (request.body as { readonly request: { readonly uid: string } }).request;
  response.json({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid, allowed: true } });
});
const pair = { cert: readFileSync(join(directory, 'tls.crt')), key: readFileSync(join(directory, 'tls.key')) };
createServer({ ...pair, minVersion: 'TLSv1.3' }, app).listen(Number(port), '127.0.0.1');
