import type { IncomingHttpHeaders } from 'node:http';
import { Observable } from 'rxjs';
import type { Access, Answered, ConnectionPool, Outgoing } from './connection-pool.ts';
import { type ApiError, connectionFailure, statusError } from './errors.ts';
import type { KubeRequest } from './request.ts';

/** The parts of one response: first `opened`, once the server has answered 2xx, then the body in pieces. */
export type Part = { readonly type: 'opened' } | { readonly type: 'chunk'; readonly bytes: Uint8Array };

/** Decodes the parts of one response. */
export type PartReader<T> = (part$: Observable<Part>) => Observable<T>;

interface ExchangeOptions {
  readonly pool: ConnectionPool;
  readonly access: Access;
  readonly userAgent: string;
  readonly request: KubeRequest;
  /** The request, as messages name it. */
  readonly subject: string;
  readonly onHeaders: (status: number, headers: IncomingHttpHeaders) => void;
}

/** A Status is a few hundred bytes; the rest of a longer error page explains nothing more. */
const REJECTION_BYTES = 64 * 1024;

/** The request as it goes out, with the credentials. */
export const outgoing = ({
  access,
  request,
  userAgent,
}: Pick<ExchangeOptions, 'access' | 'request' | 'userAgent'>): Outgoing => {
  const base = new URL(access.server);
  const query = new URLSearchParams(request.query).toString();
  const body = request.body === undefined ? null : JSON.stringify(request.body);
  return {
    path: `${base.pathname.replace(/\/$/, '')}${request.path}${query === '' ? '' : `?${query}`}`,
    method: request.method,
    headers: {
      accept: 'application/json',
      'user-agent': userAgent,
      ...(body === null ? {} : { 'content-type': request.contentType ?? 'application/json' }),
      ...request.headers,
      ...access.headers,
    },
    body,
  };
};

/** Sends one request. Unsubscribing closes its connection, whether that is opening, waiting or reading. */
export const exchange = (options: ExchangeOptions): Observable<Part> => {
  const { pool, access, subject, onHeaders } = options;
  const secret = access.headers['authorization']?.replace(/^\w+ /, '') ?? null;
  return new Observable((subscriber) => {
    let ended = false;
    let rejected: { readonly status: number; readonly headers: IncomingHttpHeaders; body: string } | null = null;
    const fail = (problem: ApiError): void => {
      ended = true;
      subscriber.error(problem);
    };
    const settle = (): void => {
      if (rejected === null) subscriber.complete();
      else fail(statusError({ ...rejected, subject, secret }));
    };

    const answered: Answered = {
      header(status, headers) {
        onHeaders(status, headers);
        if (status < 300) subscriber.next({ type: 'opened' });
        else rejected = { status, headers, body: '' };
      },
      chunk(bytes) {
        if (rejected === null) subscriber.next({ type: 'chunk', bytes });
        else if (rejected.body.length < REJECTION_BYTES) rejected.body += bytes.toString('utf8');
      },
      end() {
        ended = true;
        // The pool takes the connection back after this stack. If the response ended earlier, the next request would find
        // the connection busy and open another one.
        queueMicrotask(() => setImmediate(settle));
      },
      failed(error) {
        // A rejection whose body is incomplete is still a rejection.
        fail(
          rejected === null ? connectionFailure(subject, error, secret) : statusError({ ...rejected, subject, secret }),
        );
      },
    };
    try {
      const giveUp = pool.dispatch(outgoing(options), answered);
      return () => {
        if (!ended) giveUp();
      };
    } catch (error) {
      // Node throws at once for a token that is no valid header value and for an invalid CA; both come from files.
      answered.failed(error instanceof Error ? error : new Error(String(error)));
      return undefined;
    }
  });
};
