import type { IncomingHttpHeaders } from 'node:http';
import { Observable } from 'rxjs';
import type { Answered, ConnectionPool, Outgoing } from './connection-pool.ts';
import type { Access } from './credentials.ts';
import { type ApiError, connectionFailure, statusError } from './errors.ts';
import type { KubeRequest } from './request.ts';

/** What comes of one request: first `opened`, once the server has answered 2xx, then the body in pieces. */
export type Part = { readonly type: 'opened' } | { readonly type: 'chunk'; readonly bytes: Uint8Array };

/** What to make of the parts. */
export interface PartReader<T> {
  read(part$: Observable<Part>): Observable<T>;
}

interface ExchangeOptions {
  readonly pool: ConnectionPool;
  readonly access: Access;
  readonly userAgent: string;
  readonly request: KubeRequest;
  /** What was asked, for messages. */
  readonly subject: string;
  readonly onHeaders: (status: number, headers: IncomingHttpHeaders) => void;
}

/** A Status is a few hundred bytes; the rest of a longer error page explains nothing more. */
const REFUSAL_BYTES = 64 * 1024;

const outgoing = ({ access, request, userAgent }: ExchangeOptions): Outgoing => {
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
      ...access.headers,
    },
    body,
  };
};

/** One request on the wire. Unsubscribing closes its connection, whether it is opening, waiting or reading. */
export const exchange = (options: ExchangeOptions): Observable<Part> => {
  const { pool, access, subject, onHeaders } = options;
  const secret = access.headers['authorization']?.replace(/^\w+ /, '') ?? null;
  return new Observable((subscriber) => {
    let ended = false;
    let refused: { readonly status: number; readonly headers: IncomingHttpHeaders; body: string } | null = null;
    const fail = (problem: ApiError): void => {
      ended = true;
      subscriber.error(problem);
    };
    const settle = (): void => {
      if (refused === null) subscriber.complete();
      else fail(statusError({ ...refused, subject, secret }));
    };

    const answered: Answered = {
      header(status, headers) {
        onHeaders(status, headers);
        if (status < 300) subscriber.next({ type: 'opened' });
        else refused = { status, headers, body: '' };
      },
      chunk(bytes) {
        if (refused === null) subscriber.next({ type: 'chunk', bytes });
        else if (refused.body.length < REFUSAL_BYTES) refused.body += bytes.toString('utf8');
      },
      end() {
        ended = true;
        // The pool takes the connection back after this stack. Told any earlier, the next request would find it busy and
        // open another.
        queueMicrotask(() => setImmediate(settle));
      },
      failed(error) {
        // A refusal whose body broke off is still a refusal.
        fail(
          refused === null ? connectionFailure(subject, error, secret) : statusError({ ...refused, subject, secret }),
        );
      },
    };
    try {
      const giveUp = pool.dispatch(outgoing(options), answered);
      return () => {
        if (!ended) giveUp();
      };
    } catch (error) {
      // Node throws at once at a token that no header can carry and at a CA that is none; both are somebody's file.
      answered.failed(error instanceof Error ? error : new Error(String(error)));
      return undefined;
    }
  });
};
