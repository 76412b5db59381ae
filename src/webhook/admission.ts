import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { Problem } from '../../streams/problem.ts';
import { logThrottle } from '../logging/log-throttle.ts';
import { monotonicMs } from '../util/time.ts';
import { type AdmissionReview, faults, readResponse, readReview } from './admission-schema.ts';
import type {
  AdmissionHandler,
  AdmissionRequest,
  AdmissionResponse,
  HandlerContext,
  HandlerLog,
} from './admission-types.ts';
import { reject, rejectLogged, rejectNonReview } from './reject.ts';
import { budgetMs, type OnAnswered, type Outcome, readBody, requestTarget } from './request.ts';

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
  const loudness = logThrottle();
  const turnAway = rejectLogged((status, reason, suppressed) =>
    log.warn('Admission request refused', { status, reason, suppressed }),
  );

  const answer = async (request: IncomingMessage, response: ServerResponse, startMs: number): Promise<Outcome> => {
    const { pathname, timeoutMs } = requestTarget(request.url);
    const handler = route(pathname);
    if (handler === undefined) return (turnAway(response, 404, `no handler for ${pathname}`), 'refused');
    if (rejectNonReview(request, response, maxRequestBytes, turnAway)) return 'refused';
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
      const { emit, suppressed } = loudness(pathname);
      const fields = { path: pathname, uid: review.request.uid, reason: verdict, suppressed };
      log[emit ? 'warn' : 'debug']('Admission handler failed', fields);
      return (reject(response, 500, verdict), 'failed');
    }
    respond(response, review, verdict);
    return verdict.allowed ? 'allowed' : 'denied';
  };

  return (request, response) => {
    const startMs = monotonicMs();
    void answer(request, response, startMs)
      .catch((error: unknown): Outcome => {
        log.error('Admission request failed', { reason: reasonOf(error) });
        reject(response, 500, 'internal error');
        return 'failed';
      })
      .then((outcome) => onAnswered(outcome, monotonicMs() - startMs));
  };
};

interface HandlerCall {
  readonly handler: AdmissionHandler;
  readonly request: AdmissionRequest;
  /** Whose close means that nobody waits any longer. */
  readonly response: ServerResponse;
  readonly leftMs: number;
  readonly log: HandlerLog;
}

const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';

const inTime = ({ response, leftMs }: HandlerCall, answer: PromiseLike<unknown>, abort: () => void): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const end = (why: string) => () => {
      abort();
      reject(new Problem(why));
    };
    const timer = setTimeout(end('the handler did not answer in time'), leftMs);
    const gone = end('the caller has gone');
    response.once('close', gone);
    const tidy = () => {
      clearTimeout(timer);
      response.off('close', gone);
    };
    answer.then(resolve, reject).then(tidy, tidy);
  });

const judged = (answer: unknown): AdmissionResponse => {
  const parsed = readResponse(answer);
  if (parsed.success) return parsed.data;
  throw new Problem(`the handler's answer is not an AdmissionResponse: ${faults(parsed.error)}`);
};

const problemOf = (error: unknown): Problem =>
  error instanceof Problem
    ? error
    : new Problem(`the handler failed: ${error instanceof Error ? error.message : String(error)}`);

/**
 * Asks the handler and does not trust it: what it throws, what it returns and how long it takes. One that answers at once
 * is not made to wait for a promise.
 *
 * @throws Problem saying what it did wrong, or rejects with it
 */
const callHandler = (call: HandlerCall): AdmissionResponse | Promise<AdmissionResponse> => {
  const { handler, request, leftMs, log } = call;
  const context = new RequestContext(Date.now() + leftMs, log);
  try {
    const given: unknown = handler(request, context);
    if (!isPromise(given)) return judged(given);
    const answer = inTime(call, given, () => context.abort()).then(judged);
    return answer.catch((error: unknown) => Promise.reject(problemOf(error)));
  } catch (error) {
    throw problemOf(error);
  }
};

/** What a handler is given beside the request. The signal is made when somebody asks for it, which few do. */
class RequestContext implements HandlerContext {
  readonly deadlineMs: number;
  readonly log: HandlerLog;
  #controller: AbortController | null = null;
  #isAborted = false;

  constructor(deadlineMs: number, log: HandlerLog) {
    this.deadlineMs = deadlineMs;
    this.log = log;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#isAborted) this.#controller.abort();
    return this.#controller.signal;
  }

  /** Tells the handler, if it listens, that its answer is no longer wanted. */
  abort(): void {
    this.#isAborted = true;
    this.#controller?.abort();
  }
}
