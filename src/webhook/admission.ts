import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { readReview, type AdmissionReview } from './admission-schema.ts';
import type { AdmissionHandler, AdmissionResponse, HandlerLog } from './admission-types.ts';
import type { OnAnswered, Outcome } from './answered.ts';
import { budgetMs } from './budget-ms.ts';
import { callHandler, type HandlerCall } from './call-handler.ts';
import { faults } from './faults.ts';
import { quieten } from './quieten.ts';
import { readBody } from './read-body.ts';
import { refuse } from './refuse.ts';
import { refuseForeign } from './refuse-foreign.ts';
import { refusing } from './refusing.ts';
import { requestTarget } from './request-target.ts';
import { monotonicMs } from '../monotonic-ms.ts';

export interface AdmissionOptions {
  /** The handler of a path; undefined is answered 404. */
  readonly route: (pathname: string) => AdmissionHandler | undefined;
  readonly maxRequestBytes: number;
  /** The longest a handler may take, whatever the caller grants, ms. Default 30 s: the API server grants no more. */
  readonly ceilingMs?: number;
  readonly log: HandlerLog;
  readonly onAnswered?: OnAnswered;
}

const parse = (body: Buffer): AdmissionReview | string => {
  try {
    const parsed = readReview(JSON.parse(body.toString('utf8')));
    return parsed.success ? parsed.data : `not an AdmissionReview: ${faults(parsed.error)}`;
  } catch {
    return 'the body is not JSON';
  }
};

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const verdictOf = async (call: HandlerCall): Promise<AdmissionResponse | string> => {
  try {
    return await callHandler(call);
  } catch (error) {
    return reasonOf(error);
  }
};

const respond = (response: ServerResponse, { apiVersion, request }: AdmissionReview, verdict: AdmissionResponse) => {
  const body = JSON.stringify({ apiVersion, kind: 'AdmissionReview', response: { uid: request.uid, ...verdict } });
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }).end(body);
};

/** Answers AdmissionReviews with a handler: the version that came in goes out, and the uid is echoed. */
export const createAdmission = (options: AdmissionOptions): RequestListener => {
  const { route, maxRequestBytes, ceilingMs = 30_000, log, onAnswered = () => undefined } = options;
  const loudness = quieten();
  const turnAway = refusing((status, reason, untold) =>
    log.warn('Admission request refused', { status, reason, untold }),
  );

  const answer = async (request: IncomingMessage, response: ServerResponse, startMs: number): Promise<Outcome> => {
    const { pathname, timeoutMs } = requestTarget(request.url);
    const handler = route(pathname);
    if (handler === undefined) return (turnAway(response, 404, `no handler for ${pathname}`), 'refused');
    if (refuseForeign(request, response, maxRequestBytes, turnAway)) return 'refused';
    const body = await readBody(request, maxRequestBytes);
    if (body === 'cut-short') return (response.destroy(), 'aborted');
    if (body === 'too-large') return (turnAway(response, 413, `more than ${maxRequestBytes} bytes`), 'refused');
    const review = parse(body);
    if (typeof review === 'string') return (turnAway(response, 400, review), 'refused');
    const leftMs = budgetMs(timeoutMs, ceilingMs) - (monotonicMs() - startMs);
    const call = { handler, request: review.request, response, leftMs: Math.max(1, leftMs), log };
    const verdict = await verdictOf(call);
    if (response.closed) return 'aborted';
    if (typeof verdict === 'string') {
      const { loud, untold } = loudness(pathname);
      const fields = { path: pathname, uid: review.request.uid, reason: verdict, untold };
      log[loud ? 'warn' : 'debug']('Admission handler failed', fields);
      return (refuse(response, 500, verdict), 'failed');
    }
    respond(response, review, verdict);
    return verdict.allowed ? 'allowed' : 'denied';
  };

  return (request, response) => {
    const startMs = monotonicMs();
    void answer(request, response, startMs)
      .catch((error: unknown): Outcome => {
        log.error('Admission request failed', { reason: reasonOf(error) });
        refuse(response, 500, 'internal error');
        return 'failed';
      })
      .then((outcome) => onAnswered(outcome, monotonicMs() - startMs));
  };
};
