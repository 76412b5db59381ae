import type { IncomingHttpHeaders } from 'node:http';
import { catchError, defer, type Observable, switchMap, tap, throwError, timeout } from 'rxjs';
import { Problem } from '../../streams/problem.ts';
import { monotonicMs } from '../util/time.ts';
import type { ConnectionPool, Credentials } from './connection-pool.ts';
import { ApiError } from './errors.ts';
import { exchange, type PartReader } from './exchange.ts';
import { type KubeRequest, type KubeResponse, requestSubject } from './request.ts';
import type { Transport } from './transport.ts';

/** Ten times the API server's own SLO for a request for a single object (1 s). */
const DEFAULT_TIMEOUT_MS = 10_000;

export interface Wire {
  readonly credentials: Credentials;
  readonly transport: Transport;
  readonly userAgent: string;
  readonly onResponse: (response: KubeResponse) => void;
  readonly onHeaders: (headers: IncomingHttpHeaders) => void;
}

/**
 * Sends one request with the current credentials, and once more with fresh ones after a 401. Times out when `read` has
 * yielded nothing within the request's time. Errs with an {@link ApiError}.
 */
export const authorizedExchange = <T>(wire: Wire, request: KubeRequest, read: PartReader<T>): Observable<T> => {
  const { credentials, transport, userAgent } = wire;
  return defer(() => {
    const { verb, resource, text: subject } = requestSubject(request);
    const timeoutMs = request.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const startedMs = monotonicMs();
    let pool: ConnectionPool | null = null;
    let answered = false;
    const report = (code: number | null): void =>
      wire.onResponse({ verb, resource, code, ms: monotonicMs() - startedMs });

    const attempt = (): Observable<T> => {
      const part$ = defer(() => credentials.access()).pipe(
        switchMap((access) => {
          const mine = (pool = transport.poolFor(access));
          const onHeaders = (status: number, headers: IncomingHttpHeaders): void => {
            answered = true;
            transport.markAlive(mine);
            report(status);
            wire.onHeaders(headers);
          };
          return exchange({ pool: mine, access, userAgent, request, subject, onHeaders });
        }),
      );
      return read(part$);
    };

    return attempt().pipe(
      catchError((error: unknown) => {
        if (!(error instanceof ApiError)) throw error;
        if (error.status === 401 || error.reason === 'Untrusted') credentials.forget();
        if (error.status === 401) return attempt();
        throw error;
      }),
      timeout({
        first: timeoutMs,
        with: () => {
          // Neither an exec plugin that hangs nor a connection whose peer is gone may delay the next request.
          if (pool === null) credentials.forget();
          else transport.quarantine(pool);
          const waitedFor = pool === null ? 'credentials' : 'answer';
          return throwError(() => new ApiError(`${subject}: no ${waitedFor} within ${timeoutMs / 1000} s`));
        },
      }),
      catchError((error: unknown) => {
        if (!(error instanceof Problem) || error instanceof ApiError) throw error;
        throw new ApiError(`${subject}: ${error.message}`);
      }),
      tap({ error: () => (answered ? undefined : report(null)) }),
    );
  });
};
