import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { connect, type NetConnectOpts } from 'node:net';
import { type Readable, Transform } from 'node:stream';
import Pool from 'undici/lib/dispatcher/pool.js';
import { Problem } from '../../streams/problem.ts';
import { logThrottle } from '../logging/log-throttle.ts';
import { monotonicMs } from '../util/time.ts';
import { ClientClosedRequest, forward, UpstreamTimeoutError } from './forward.ts';
import { type OnRejected, reject, rejectLogged, rejectNonReview } from './reject.ts';
import { type BodyFault, budgetMs, type OnAnswered, type Outcome, readBody, requestTarget } from './request.ts';

interface UpstreamOptions {
  /** `http://host:port` or `unix:/path`. */
  readonly url: string;
  /** The longest the upstream may take, whatever the caller grants, ms. */
  readonly timeoutMs: number;
  /** Holds for what goes up as for what comes down. */
  readonly maxRequestBytes: number;
  readonly onAnswered?: OnAnswered;
  /**
   * Told of a failure of the upstream, of each status once a minute with the number that went suppressed since. The caller
   * gets the same reason, each time.
   */
  readonly onFault?: (status: 502 | 504, reason: string, suppressed: number) => void;
  /** Told likewise of what was the caller's fault. */
  readonly onRefused?: OnRejected;
}

interface Upstream extends AsyncDisposable {
  readonly answer: RequestListener;
  /** Whether somebody listens there; asked afresh at most once a second. */
  reachable(): Promise<boolean>;
}

const why = (error: unknown): string =>
  error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error);

/**
 * The front: forwards every request, unread, to plain HTTP in the same pod. Down or rude is a 502, late a 504, and
 * what breaks after the answer has begun closes the connection, so that half an answer is never taken for a whole.
 */
export const createUpstream = (options: UpstreamOptions): Upstream => {
  const {
    url,
    timeoutMs,
    maxRequestBytes: maxBytes,
    onAnswered = () => undefined,
    onFault = () => undefined,
    onRefused = () => undefined,
  } = options;
  const loudness = logThrottle();
  const turnAway = rejectLogged(onRefused);
  const { origin, socketPath, dial } = upstreamTarget(url);
  const pool = new Pool(origin, {
    ...(socketPath === null ? {} : { socketPath }),
    connections: 256,
    pipelining: 1,
    connect: { timeout: 2_000 },
    // In a pod a new connection costs next to nothing; one that the upstream is about to close costs a call.
    keepAliveTimeout: 1_000,
    // The deadline of each request is the only clock.
    headersTimeout: 0,
    bodyTimeout: 0,
  });

  const answer = async (request: IncomingMessage, response: ServerResponse, startMs: number): Promise<Outcome> => {
    if (rejectNonReview(request, response, maxBytes, turnAway)) return 'refused';
    const body = await upstreamBody(request, maxBytes);
    if (body === 'cut-short' || body === 'too-large') return (response.destroy(), 'aborted');
    if (response.closed) return 'aborted';
    const grantedMs = budgetMs(requestTarget(request.url).timeoutMs, timeoutMs);
    const leftMs = Math.max(1, grantedMs - (monotonicMs() - startMs));
    try {
      await forward({ to: pool, request, response, body, leftMs, maxBytes });
      return 'forwarded';
    } catch (error) {
      return fail(response, error, grantedMs);
    }
  };

  const fail = (response: ServerResponse, error: unknown, grantedMs: number): Outcome => {
    if (error instanceof ClientClosedRequest) return 'aborted';
    if (error instanceof Error && error.message === 'too-large') {
      turnAway(response, 413, `more than ${maxBytes} bytes`);
      return 'refused';
    }
    const status = error instanceof UpstreamTimeoutError ? 504 : 502;
    const reason =
      status === 504 ? `no answer from the upstream within ${Math.round(grantedMs)} ms` : `upstream: ${why(error)}`;
    const { emit, suppressed } = loudness(String(status));
    if (emit) onFault(status, reason, suppressed);
    reject(response, status, reason);
    return 'failed';
  };

  return {
    answer: (request, response) => {
      const startMs = monotonicMs();
      void answer(request, response, startMs)
        .catch((error: unknown) => fail(response, error, timeoutMs))
        .then((outcome) => onAnswered(outcome, monotonicMs() - startMs));
    },
    reachable: createReachable(dial),
    [Symbol.asyncDispose]: () => pool.destroy(),
  };
};

interface UpstreamTarget {
  readonly origin: string;
  /** Null for TCP. */
  readonly socketPath: string | null;
  readonly dial: NetConnectOpts;
}

/**
 * `http://host:port` or `unix:/path`.
 *
 * @throws Problem for anything else.
 */
export const upstreamTarget = (url: string): UpstreamTarget => {
  const socketPath = /^unix:(\/.+)$/.exec(url)?.[1];
  if (socketPath !== undefined) return { origin: 'http://localhost', socketPath, dial: { path: socketPath } };
  const parsed = URL.parse(url);
  if (parsed?.protocol !== 'http:') throw new Problem(`UPSTREAM_URL ${url}: expected http://HOST:PORT or unix:/PATH`);
  const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1');
  return {
    origin: parsed.origin,
    socketPath: null,
    dial: { host, port: Number(parsed.port === '' ? 80 : parsed.port) },
  };
};

/** Below this a body is taken whole, bytes: cheaper than a stream, and most AdmissionReviews are smaller. */
const SMALL_BYTES = 64 * 1024;

/** Passes on what comes, and fails with `too-large` at the first byte too many. */
const limited = (request: IncomingMessage, maxBytes: number): Readable => {
  let bytes = 0;
  const body = new Transform({
    transform(chunk: Buffer, _encoding, pass) {
      bytes += chunk.length;
      if (bytes > maxBytes) pass(new Error('too-large'));
      else pass(null, chunk);
    },
  });
  // Somebody must listen even when the upstream has been given up before it took the body.
  body.on('error', () => request.unpipe(body).resume());
  return request.pipe(body);
};

/** The request's body to send on, unread. A stream of its own, since a failing upstream destroys what it was given. */
const upstreamBody = (request: IncomingMessage, maxBytes: number): Promise<Buffer | BodyFault> | Readable => {
  const length = Number(request.headers['content-length'] ?? Infinity);
  return length <= SMALL_BYTES ? readBody(request, maxBytes) : limited(request, maxBytes);
};

const dial = (target: NetConnectOpts, timeoutMs: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(target);
    const end = (reached: boolean) => {
      resolve(reached);
      socket.destroy();
    };
    socket.setTimeout(timeoutMs, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });

/** Whether somebody accepts connections there. One answer serves everyone who asks within `freshMs`. */
const createReachable = (target: NetConnectOpts, freshMs = 1_000, timeoutMs = 1_000): (() => Promise<boolean>) => {
  let asked: { readonly atMs: number; readonly answer: Promise<boolean> } | null = null;
  return () => {
    const nowMs = monotonicMs();
    if (asked === null || nowMs - asked.atMs >= freshMs) asked = { atMs: nowMs, answer: dial(target, timeoutMs) };
    return asked.answer;
  };
};
