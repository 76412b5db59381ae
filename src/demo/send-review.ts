import { randomUUID } from 'node:crypto';
import { type Agent, request } from 'node:https';

/** One endpoint of the Service. */
export interface Endpoint {
  readonly name: string;
  readonly port: number;
}

const review = (uid: string): string =>
  JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid,
      operation: 'CREATE',
      kind: { group: '', version: 'v1', kind: 'ConfigMap' },
      resource: { group: '', version: 'v1', resource: 'configmaps' },
      name: 'demo',
      namespace: 'demo',
      userInfo: { username: 'demo' },
      object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'demo' } },
    },
  });

/** client-go's default: https://github.com/kubernetes/client-go/blob/v0.34.0/rest/request.go */
const MAX_TRIES = 10;

/** Sends an AdmissionReview to a replica. Returns null when it was admitted, else the reason. */
export const sendReview = (
  { name, port }: Endpoint,
  agent: Agent,
  servername: string,
  tries = MAX_TRIES,
): Promise<string | null> => {
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const uid = randomUUID();
  const body = review(uid);
  const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
  const sent = request({
    host: '127.0.0.1',
    port,
    path: '/validate?timeout=10s',
    method: 'POST',
    agent,
    servername,
    headers,
  });
  sent.setTimeout(10_000, () => sent.destroy(new Error('no answer within 10 s')));
  sent.on('error', (error) => resolve(error.message));
  sent.on('response', (answer) => {
    const chunks: Buffer[] = [];
    answer.on('data', (chunk: Buffer) => chunks.push(chunk));
    answer.on('error', (error) => resolve(error.message));
    answer.on('end', () => {
      // As in client-go: only such an answer is retried.
      const isRetryable = (answer.statusCode ?? 0) >= 500 && answer.headers['retry-after'] === '0';
      if (isRetryable && tries > 1) {
        resolve(sendReview({ name, port }, agent, servername, tries - 1));
        return;
      }
      const text = Buffer.concat(chunks).toString();
      const admitted = answer.statusCode === 200 && text.includes(uid) && text.includes('"allowed":true');
      resolve(admitted ? null : `HTTP ${answer.statusCode ?? 0}: ${text.slice(0, 200)}`);
    });
  });
  sent.end(body);
  return promise;
};
