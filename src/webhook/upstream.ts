import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { connect, type NetConnectOpts } from 'node:net';
import { type Readable, Transform } from 'node:stream';
import Pool from 'undici/lib/dispatcher/pool.js';
import type { Upstream } from '../config/addresses.ts';
import { logThrottle } from '../logging/log-throttle.ts';
import { hostOf } from '../util/ip.ts';
import { monotonicMs } from '../util/time.ts';
import { ClientClosedRequest, forward, UpstreamTimeoutError } from './forward.ts';
import { type OnRejected, reject, rejectLogged, rejectNonReview, rejectOverMemory } from './reject.ts';
import {
  type BodyFault,
  budgetMs,
  createMemoryBudget,
  type MemoryBudget,
  type OnAnswered,
  type Outcome,
  readBody,
  requestTarget,
} from './request.ts';

interface UpstreamOptions {
  /** UPSTREAM_URL, parsed. */
  readonly upstream: Upstream;
  /** Longest time of the upstream, whatever the caller grants, ms. */
  readonly timeoutMs: number;
  /** Limits requests and answers. */
  readonly maxRequestBytes: number;
  readonly onAnswered?: OnAnswered;
  /**
   * Called for one failure of the upstream of each status a minute, with the number suppressed since. The caller gets
   * the same reason, each time.
   */
  readonly onFault?: (status: 502 | 503 | 504, reason: string, suppressed: number) => void;
  /** Called likewise for what is the caller's fault. */
  readonly onRefused?: OnRejected;
  /** Shared by all exchanges of the process. */
  readonly memory?: MemoryBudget;
}

interface Front extends AsyncDisposable {
  readonly answer: RequestListener;
  /** Why the upstream accepts no connections; null when it does. Checked at most once a second. */
  unreachable(): Promise<string | null>;
}

const CONNECT_TIMEOUT_MS = 2_000;

/** The connection ended without an answer: a server that closes idle connections, or ends its worker. */
const CLOSED = /^(UND_ERR_SOCKET|ECONNRESET|EPIPE)$/;
/** No connection was made, so nothing was sent. */
const UNCONNECTED =
  /^(ECONNREFUSED|ENOENT|EACCES|EAGAIN|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT)$/;

/** The code of an error, or its name: undici's errors of the HTTP parser have a code in some versions only. */
const codeOf = (error: unknown): string => {
  const { code, name } = error as NodeJS.ErrnoException;
  return code ?? name;
};

const reasons: readonly (readonly [RegExp, string])[] = [
  [/^ECONNREFUSED$/, 'nothing listens there (ECONNREFUSED)'],
  [/^ENOENT$/, 'the socket does not exist (ENOENT)'],
  [/^EACCES$/, 'no permission to connect to the socket (EACCES)'],
  [/^(UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT)$/, `no connection within ${CONNECT_TIMEOUT_MS} ms`],
  [CLOSED, 'the connection was closed before the answer was complete'],
  [/^(HPE_.*|HTTPParserError|ERR_ASSERTION)$/, 'the answer is not HTTP/1.1'],
];

const reasonOf = (error: unknown): string => {
  const code = codeOf(error);
  const text = reasons.find(([pattern]) => pattern.test(code))?.[1];
  return text ?? (error instanceof Error ? error.message : String(error));
};

/**
 * Creates the front: it forwards every request, unread, to plain HTTP in the same pod. An upstream that gives no answer
 * is a 503 with `Retry-After: 0`, so that the API server asks another replica (D-011), as while this pod ends; a bad
 * answer is a 502, a late one a 504. A failure after the answer has begun closes the connection, so that half an answer
 * is never taken for a whole one.
 */
export const createUpstream = (options: UpstreamOptions): Front => {
  const {
    timeoutMs,
    maxRequestBytes: maxBytes,
    onAnswered = () => undefined,
    onFault = () => undefined,
    onRefused = () => undefined,
    memory = createMemoryBudget(),
  } = options;
  const throttle = logThrottle();
  const rejectAndLog = rejectLogged(onRefused);
  const { origin, socketPath, address } = upstreamTarget(options.upstream);
  const connection = {
    ...(socketPath === null ? {} : { socketPath }),
    connections: 256,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    // The deadline of each request is the only timeout.
    headersTimeout: 0,
    bodyTimeout: 0,
  };
  // In a pod a new connection costs next to nothing; one that the upstream is about to close costs a call.
  const pool = new Pool(origin, { ...connection, pipelining: 1, keepAliveTimeout: 1_000 });
  // Without pipelining undici keeps no connection: each retry gets a fresh one.
  const freshPool = new Pool(origin, { ...connection, pipelining: 0 });

  const answer = async (request: IncomingMessage, response: ServerResponse, startMs: number): Promise<Outcome> => {
    if (rejectNonReview(request, response, maxBytes, rejectAndLog)) return 'refused';
    const body = await upstreamBody(request, response, maxBytes, memory);
    if (body === 'no-memory') return (rejectOverMemory(response, rejectAndLog), 'refused');
    if (typeof body === 'string') return (response.destroy(), 'aborted');
    if (response.closed) return 'aborted';
    const grantedMs = budgetMs(requestTarget(request.url).timeoutMs, timeoutMs);
    const leftMs = () => Math.max(1, grantedMs - (monotonicMs() - startMs));
    const exchange = { request, response, body, maxBytes };
    try {
      await forward({ ...exchange, to: pool, leftMs: leftMs() }).catch((error: unknown) => {
        if (response.headersSent || !Buffer.isBuffer(body) || !CLOSED.test(codeOf(error))) throw error;
        return forward({ ...exchange, to: freshPool, leftMs: leftMs() });
      });
      return 'forwarded';
    } catch (error) {
      return fail(response, error, grantedMs);
    }
  };

  const faultOf = (error: unknown, grantedMs: number): readonly [502 | 503 | 504, string] => {
    if (error instanceof UpstreamTimeoutError)
      return [504, `no answer from the upstream within ${Math.round(grantedMs)} ms`];
    const code = codeOf(error);
    return [CLOSED.test(code) || UNCONNECTED.test(code) ? 503 : 502, `upstream: ${reasonOf(error)}`];
  };

  const fail = (response: ServerResponse, error: unknown, grantedMs: number): Outcome => {
    if (error instanceof ClientClosedRequest) return 'aborted';
    if (error instanceof Error && error.message === 'too-large') {
      rejectAndLog(response, 413, `more than ${maxBytes} bytes`);
      return 'refused';
    }
    const [status, reason] = faultOf(error, grantedMs);
    const { emit, suppressed } = throttle(`${status} ${reason}`);
    if (emit) onFault(status, reason, suppressed);
    reject(response, status, reason, status === 503 ? 0 : undefined);
    return 'failed';
  };

  return {
    answer: (request, response) => {
      const startMs = monotonicMs();
      void answer(request, response, startMs)
        .catch((error: unknown) => fail(response, error, timeoutMs))
        .then((outcome) => onAnswered(outcome, monotonicMs() - startMs));
    },
    unreachable: createUnreachable(address),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([pool.destroy(), freshPool.destroy()]);
    },
  };
};

interface UpstreamTarget {
  readonly origin: string;
  /** Null for TCP. */
  readonly socketPath: string | null;
  readonly address: NetConnectOpts;
}

const DEFAULT_HTTP_PORT = 80;

/** Returns what undici and node:net need to connect to the upstream. */
export const upstreamTarget = (upstream: Upstream): UpstreamTarget => {
  if (upstream.kind === 'unix')
    return { origin: 'http://localhost', socketPath: upstream.path, address: { path: upstream.path } };
  const url = new URL(upstream.url);
  const port = url.port === '' ? DEFAULT_HTTP_PORT : Number(url.port);
  return { origin: url.origin, socketPath: null, address: { host: hostOf(url), port } };
};

/** Up to here a body is read whole, bytes: cheaper than a stream, and most AdmissionReviews are smaller. */
const SMALL_BYTES = 64 * 1024;

/** Returns the body as a stream that fails with `too-large` at the first byte beyond the limit. */
const limited = (request: IncomingMessage, maxBytes: number): Readable => {
  let bytes = 0;
  const body = new Transform({
    transform(chunk: Buffer, _encoding, pass) {
      bytes += chunk.length;
      if (bytes > maxBytes) pass(new Error('too-large'));
      else pass(null, chunk);
    },
  });
  // Needs a listener even after the upstream was abandoned before it received the body.
  body.on('error', () => request.unpipe(body).resume());
  return request.pipe(body);
};

/**
 * Returns the request's body to forward, unread: small ones whole, others as a stream of their own, since a failing
 * upstream destroys the stream that it is given. A stream holds no more than its high-water mark.
 */
const upstreamBody = async (
  request: IncomingMessage,
  response: ServerResponse,
  maxBytes: number,
  memory: MemoryBudget,
): Promise<Buffer | BodyFault | Readable> => {
  const length = Number(request.headers['content-length'] ?? Infinity);
  if (!(length <= SMALL_BYTES)) return limited(request, maxBytes);
  const { body, hold } = await readBody(request, maxBytes, memory);
  response.once('close', hold.release);
  if (response.closed) hold.release();
  return body;
};

const whyUnreachable = (target: NetConnectOpts, timeoutMs: number): Promise<string | null> =>
  new Promise((resolve) => {
    const socket = connect(target);
    const end = (why: string | null) => {
      resolve(why);
      socket.destroy();
    };
    socket.setTimeout(timeoutMs, () => end(`no connection within ${timeoutMs} ms`));
    socket.once('connect', () => end(null));
    socket.once('error', (error) => end(reasonOf(error)));
  });

/** Checks whether the upstream accepts connections. One result serves all checks within `freshMs`. */
const createUnreachable = (
  target: NetConnectOpts,
  freshMs = 1_000,
  timeoutMs = 1_000,
): (() => Promise<string | null>) => {
  let last: { readonly atMs: number; readonly result: Promise<string | null> } | null = null;
  return () => {
    const nowMs = monotonicMs();
    if (last === null || nowMs - last.atMs >= freshMs)
      last = { atMs: nowMs, result: whyUnreachable(target, timeoutMs) };
    return last.result;
  };
};
