import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:https';
import { interval, mergeMap, type Observable, range, type Subscription } from 'rxjs';
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
const sendReview = (
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

interface CallerOptions {
  /** PEM of the current caBundle, the only trust anchor. */
  readonly caBundle$: Observable<string>;
  readonly endpoints: () => readonly Endpoint[];
  readonly serverName: string;
  readonly everyMs: number;
  /** Default: whether a ConfigMap may be created, which must be allowed. */
  readonly question?: Question;
  readonly onFailure: (endpoint: Endpoint, reason: string) => void;
}

interface Caller extends Disposable {
  readonly calls: number;
  readonly failed: number;
}

/** Limit of concurrent calls; further calls are sent later. */
const MAX_IN_FLIGHT = 64;

/** Limit of calls per timer tick while catching up after a pause of the machine. */
const MAX_PER_TICK = 8;

/**
 * Calls the replicas in turn as the API server does: over TLS, by the Service's name, trusting the current caBundle only.
 * Connections are kept alive, and reopened when the caBundle changes.
 */
export const startCaller = (options: CallerOptions): Caller => {
  const { caBundle$, endpoints, serverName, everyMs, question = anyQuestion, onFailure } = options;
  const counts = { calls: 0, failed: 0, inFlight: 0 };
  let agent: Agent | null = null;
  let turn = 0;

  const calling: Subscription = caBundle$.subscribe((ca) => {
    const before = agent;
    // The agent does not queue calls: a queued call would connect later, with an outdated bundle.
    agent = ca === '' ? null : new Agent({ ca, keepAlive: true, maxFreeSockets: MAX_IN_FLIGHT });
    // Open calls may still finish on their connections.
    if (before !== null) setTimeout(() => before.destroy(), 15_000).unref();
  });
  const once = async (): Promise<void> => {
    const ready = endpoints();
    const endpoint = ready[turn++ % ready.length];
    if (endpoint === undefined || agent === null) return;
    const startedMs = performance.now();
    counts.inFlight += 1;
    const reason = await sendReview(endpoint, agent, serverName, question);
    counts.inFlight -= 1;
    if (calling.closed) return;
    counts.calls += 1;
    if (reason === null) return;
    counts.failed += 1;
    onFailure(endpoint, `${reason}, after ${Math.round(performance.now() - startedMs)} ms`);
  };
  // Computed from the clock, since timers fire late on a busy machine.
  const startMs = performance.now();
  let sent = 0;
  const due = () => {
    const overdue = Math.floor((performance.now() - startMs) / everyMs) - sent;
    const count = Math.min(MAX_PER_TICK, MAX_IN_FLIGHT - counts.inFlight, overdue);
    sent += Math.max(0, count);
    return range(0, Math.max(0, count));
  };
  calling.add(interval(everyMs).pipe(mergeMap(due), mergeMap(once)).subscribe());

  return {
    get calls() {
      return counts.calls;
    },
    get failed() {
      return counts.failed;
    },
    [Symbol.dispose]: () => {
      calling.unsubscribe();
      agent?.destroy();
    },
  };
};
