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
import { forgetOriginal, rememberOriginal } from './handler-api.ts';
import { reject, rejectEncoded, rejectLogged, rejectNonReview, rejectOverMemory } from './reject.ts';
import {
  budgetMs,
  createMemoryBudget,
  type MemoryBudget,
  type OnAnswered,
  type Outcome,
  readBody,
  requestTarget,
} from './request.ts';

export interface AdmissionOptions {
  /** The handler of a path; undefined is answered 404. */
  readonly route: (pathname: string) => AdmissionHandler | undefined;
  readonly maxRequestBytes: number;
  /** Longest time of a handler, whatever the caller grants, ms. Default 30 s: the API server grants no more. */
  readonly ceilingMs?: number;
  readonly log: HandlerLog;
  readonly onAnswered?: OnAnswered;
  /** Shared by all exchanges of the process. */
  readonly memory?: MemoryBudget;
}

const CONVERSION =
  'WEBHOOK_HANDLER serves AdmissionReviews only; a webhook for ConversionReviews runs behind UPSTREAM_URL';

const isConversion = (value: unknown): boolean =>
  (value as { readonly kind?: unknown } | null)?.kind === 'ConversionReview';

interface RawReview {
  readonly request: { readonly object?: unknown; readonly oldObject?: unknown };
}

/**
 * Lets `mutate` compare with the object that the API server sent, also after a handler has edited it in place. Returns the
 * function that ends this, because the handler has answered.
 */
const rememberObjects = ({ request: { object, oldObject } }: AdmissionReview, body: Buffer): (() => void) => {
  const sent = () => (JSON.parse(body.toString('utf8')) as RawReview).request;
  if (object) rememberOriginal(object, () => sent().object);
  if (oldObject) rememberOriginal(oldObject, () => sent().oldObject);
  return () => {
    if (object) forgetOriginal(object);
    if (oldObject) forgetOriginal(oldObject);
  };
};

/** Reads the review, or returns the reason why the body is none. */
const parse = (body: Buffer): AdmissionReview | string => {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    return 'the body is not JSON';
  }
  if (isConversion(value)) return CONVERSION;
  const parsed = readReview(value);
  return parsed.success ? parsed.data : `not an AdmissionReview: ${faults(parsed.error)}`;
};

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

interface EncodedAnswer {
  readonly allowed: boolean;
  readonly body: string;
}

/** Writes the answer as JSON, in the version of the question. @throws Problem for a bigint or a cycle */
const encoded = ({ apiVersion, request }: AdmissionReview, answer: AdmissionResponse): EncodedAnswer => {
  try {
    const response = { uid: request.uid, ...answer };
    return { allowed: answer.allowed, body: JSON.stringify({ apiVersion, kind: 'AdmissionReview', response }) };
  } catch (error) {
    throw new Problem(`the handler's answer cannot be written as JSON: ${reasonOf(error).split('\n', 1)[0] ?? ''}`);
  }
};

/** Asks the handler; returns the encoded answer, or the reason why there is none. */
const askHandler = async (call: HandlerCall, review: AdmissionReview): Promise<EncodedAnswer | string> => {
  try {
    return encoded(review, await callHandler(call));
  } catch (error) {
    return reasonOf(error);
  }
};

const respond = (response: ServerResponse, body: string, bytes: number) =>
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': bytes }).end(body);

/** Memory of a review relative to its body: bytes, text, and objects of several times their size. */
const PARSED_FACTOR = 4;

/** Answers AdmissionReviews with a handler, in the version of the review and with its uid. */
export const createAdmission = (options: AdmissionOptions): RequestListener => {
  const { route, maxRequestBytes, ceilingMs = 30_000, log, onAnswered = () => undefined } = options;
  const { memory = createMemoryBudget() } = options;
  const throttle = logThrottle();
  const rejectAndLog = rejectLogged((status, reason, suppressed) =>
    log.warn('Admission request refused', { status, reason, suppressed, event: 'admission-refused' }),
  );

  const answer = async (request: IncomingMessage, response: ServerResponse, startMs: number): Promise<Outcome> => {
    const { pathname, timeoutMs } = requestTarget(request.url);
    const handler = route(pathname);
    if (handler === undefined) return (rejectAndLog(response, 404, `no handler for ${pathname}`), 'refused');
    if (rejectEncoded(request, response, rejectAndLog)) return 'refused';
    if (rejectNonReview(request, response, maxRequestBytes, rejectAndLog)) return 'refused';
    const { body, hold } = await readBody(request, maxRequestBytes, memory, PARSED_FACTOR);
    response.on('close', hold.release);
    if (response.closed) hold.release();
    if (body === 'cut-short') return (response.destroy(), 'aborted');
    if (body === 'too-large') return (rejectAndLog(response, 413, `more than ${maxRequestBytes} bytes`), 'refused');
    if (body === 'no-memory') return (rejectOverMemory(response, rejectAndLog), 'refused');
    const review = parse(body);
    if (typeof review === 'string') return (rejectAndLog(response, 400, review), 'refused');
    const leftMs = budgetMs(timeoutMs, ceilingMs) - (monotonicMs() - startMs);
    const call = { handler, request: review.request, response, path: pathname, leftMs: Math.max(1, leftMs), log };
    const forgetObjects = rememberObjects(review, body);
    const answered = await askHandler(call, review);
    forgetObjects();
    if (response.closed) return 'aborted';
    if (typeof answered === 'string') {
      const { emit, suppressed } = throttle(pathname);
      const fields = { path: pathname, uid: review.request.uid, reason: answered, suppressed, event: 'handler-failed' };
      log[emit ? 'warn' : 'debug']('Admission handler failed', fields);
      return (reject(response, 500, answered), 'failed');
    }
    const bytes = Buffer.byteLength(answered.body);
    if (!hold.grow(bytes)) return (rejectOverMemory(response, rejectAndLog), 'failed');
    respond(response, answered.body, bytes);
    return answered.allowed ? 'allowed' : 'denied';
  };

  return (request, response) => {
    const startMs = monotonicMs();
    void answer(request, response, startMs)
      .catch((error: unknown): Outcome => {
        log.error('Admission request failed', { reason: reasonOf(error), event: 'admission-failed' });
        reject(response, 500, 'internal error');
        return 'failed';
      })
      .then((outcome) => onAnswered(outcome, monotonicMs() - startMs));
  };
};

interface HandlerCall {
  readonly handler: AdmissionHandler;
  readonly request: AdmissionRequest;
  /** Its close means that the caller has disconnected. */
  readonly response: ServerResponse;
  readonly path: string;
  readonly leftMs: number;
  readonly log: HandlerLog;
}

const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';

const inTime = ({ response, leftMs }: HandlerCall, answer: PromiseLike<unknown>, abort: () => void): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const end = (reason: string) => () => {
      abort();
      reject(new Problem(reason));
    };
    const timer = setTimeout(end('the handler did not answer in time'), leftMs);
    const gone = end('the caller has gone');
    response.on('close', gone);
    const tidy = () => {
      clearTimeout(timer);
      response.off('close', gone);
    };
    answer.then(resolve, reject).then(tidy, tidy);
  });

const RESPONSE_HINT = 'return allow(), deny(message), mutate(before, after) or { allowed: true }';

const validateResponse = (answer: unknown, uid: string): AdmissionResponse => {
  const parsed = readResponse(answer, uid);
  if (parsed.success) return parsed.data;
  throw new Problem(`the handler's answer is not an AdmissionResponse: ${faults(parsed.error)}; ${RESPONSE_HINT}`);
};

const problemOf = (error: unknown): Problem =>
  error instanceof Problem ? error : new Problem(`the handler failed: ${reasonOf(error)}`);

/**
 * Calls the handler and checks what it throws, what it returns and how long it takes. The answer of a synchronous
 * handler is returned without a promise, which saves a turn.
 *
 * @throws Problem with what it did wrong, or rejects with it
 */
const callHandler = (call: HandlerCall): AdmissionResponse | Promise<AdmissionResponse> => {
  const { handler, request, path, leftMs, log } = call;
  const context = new RequestContext(path, Date.now() + leftMs, log);
  try {
    const result: unknown = handler(request, context);
    if (!isPromise(result)) return validateResponse(result, request.uid);
    const answer = inTime(call, result, () => context.abort()).then((value) => validateResponse(value, request.uid));
    return answer.catch((error: unknown) => Promise.reject(problemOf(error)));
  } catch (error) {
    throw problemOf(error);
  }
};

/** The handler's second argument. The signal is created on first use, because few handlers use it. */
class RequestContext implements HandlerContext {
  readonly path: string;
  readonly deadlineMs: number;
  readonly log: HandlerLog;
  #controller: AbortController | null = null;
  #isAborted = false;

  constructor(path: string, deadlineMs: number, log: HandlerLog) {
    this.path = path;
    this.deadlineMs = deadlineMs;
    this.log = log;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#isAborted) this.#controller.abort();
    return this.#controller.signal;
  }

  /** Signals the handler that its answer is no longer needed. */
  abort(): void {
    this.#isAborted = true;
    this.#controller?.abort();
  }
}
