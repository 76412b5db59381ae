import { randomUUID } from 'node:crypto';
import { type Agent, request } from 'node:https';
import { requestOf } from '../author/review.ts';
import type { AdmissionRequest } from '../webhook/admission-types.ts';

/** One endpoint of the Service. */
export interface Endpoint {
  readonly name: string;
  readonly port: number;
}

/** What the replicas are called with. */
export interface Question {
  readonly path: string;
  readonly request: AdmissionRequest;
  /** Whether a denial counts as a failed call. */
  readonly mustAllow: boolean;
}

/** For replicas that admit everything. */
export const anyQuestion: Question = {
  path: '/validate',
  request: requestOf({
    object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'demo', namespace: 'demo' } },
  }),
  mustAllow: true,
};

/** client-go's default: https://github.com/kubernetes/client-go/blob/v0.34.0/rest/request.go */
const MAX_TRIES = 10;

/** Sends an AdmissionReview to a replica. Returns null when it was answered as the question demands, else the reason. */
export const sendReview = (
  { name, port }: Endpoint,
  agent: Agent,
  servername: string,
  question: Question = anyQuestion,
  tries = MAX_TRIES,
): Promise<string | null> => {
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const uid = randomUUID();
  const review = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: { ...question.request, uid } };
  const body = JSON.stringify(review);
  const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
  const sent = request({
    host: '127.0.0.1',
    port,
    path: `${question.path}?timeout=10s`,
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
        resolve(sendReview({ name, port }, agent, servername, question, tries - 1));
        return;
      }
      const text = Buffer.concat(chunks).toString();
      const isAnswered = answer.statusCode === 200 && text.includes(uid);
      const isAdmitted = text.includes('"allowed":true') || !question.mustAllow;
      resolve(isAnswered && isAdmitted ? null : `HTTP ${answer.statusCode ?? 0}: ${text.slice(0, 200)}`);
    });
  });
  sent.end(body);
  return promise;
};
