import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import Pool from 'undici/lib/dispatcher/pool.js';
import type { OnAnswered, Outcome } from './answered.ts';
import { budgetMs } from './budget-ms.ts';
import { forward, Gone, Late } from './forward.ts';
import { quieten } from './quieten.ts';
import { createReachable } from './reachable.ts';
import { refuse } from './refuse.ts';
import { refuseForeign } from './refuse-foreign.ts';
import { refusing, type OnRefused } from './refusing.ts';
import { requestTarget } from './request-target.ts';
import { upstreamBody } from './upstream-body.ts';
import { upstreamTarget } from './upstream-target.ts';
import { monotonicMs } from '../monotonic-ms.ts';

export interface UpstreamOptions {
  /** `http://host:port` or `unix:/path`. */
  readonly url: string;
  /** The longest the upstream may take, whatever the caller grants, ms. */
  readonly timeoutMs: number;
  /** Holds for what goes up as for what comes down. */
  readonly maxRequestBytes: number;
  readonly onAnswered?: OnAnswered;
  /**
   * Told of a failure of the upstream, of each status once a minute with the number that went untold since. The caller
   * gets the same reason, each time.
   */
  readonly onFault?: (status: 502 | 504, reason: string, untold: number) => void;
  /** Told likewise of what was the caller's fault. */
  readonly onRefused?: OnRefused;
}

export interface Upstream extends AsyncDisposable {
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
  const loudness = quieten();
  const turnAway = refusing(onRefused);
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
    if (refuseForeign(request, response, maxBytes, turnAway)) return 'refused';
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
    if (error instanceof Gone) return 'aborted';
    if (error instanceof Error && error.message === 'too-large') {
      turnAway(response, 413, `more than ${maxBytes} bytes`);
      return 'refused';
    }
    const status = error instanceof Late ? 504 : 502;
    const reason =
      status === 504 ? `no answer from the upstream within ${Math.round(grantedMs)} ms` : `upstream: ${why(error)}`;
    const { loud, untold } = loudness(String(status));
    if (loud) onFault(status, reason, untold);
    refuse(response, status, reason);
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
