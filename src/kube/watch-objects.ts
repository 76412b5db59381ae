import { catchError, defer, EMPTY, expand, map, type Observable, of, takeWhile, throwError, toArray } from 'rxjs';
import * as z from 'zod/mini';
import type { Listing, WatchFrame, WatchPort } from '../../streams/watch-port.ts';
import type { StreamLine } from './body.ts';
import type { KubeClient } from './client.ts';
import { ApiError, decodeOrThrow, watchEventProblem } from './errors.ts';
import { type KubeRequest, requestSubject } from './request.ts';

interface WatchedObjects<T> {
  /** The collection: `/api/v1/namespaces/ns/pods`. */
  readonly path: string;
  /** `fieldSelector`, `labelSelector`. */
  readonly query?: Readonly<Record<string, string>>;
  /** Objects in one page of a list; without it a list is one answer. */
  readonly limit?: number;
  /** Whether `metadata` is enough: the API server then sends neither spec nor status. */
  readonly metadataOnly?: boolean;
  /** Called for every object; a ZodError it throws becomes an {@link ApiError}. */
  readonly parse: (object: unknown) => T;
  /**
   * Called at each watch: how long the server should keep it open, in seconds. Spread it (30-60 min), so that replicas
   * do not reconnect together and a hundred quiet ones cost the API server about two requests a minute.
   */
  readonly timeoutSeconds: () => number;
}

/** The API server answers a watch at once, but may be filling its cache: longer than for a single object. */
const OPENING_TIMEOUT_MS = 30_000;

const metadataAs = (kind: string): Readonly<Record<string, string>> => ({
  accept: `application/json;as=${kind};g=meta.k8s.io;v=v1`,
});

const metaSchema = z.object({ metadata: z.object({ resourceVersion: z.string().check(z.minLength(1)) }) });
const listSchema = z.object({
  metadata: z.object({ resourceVersion: z.string().check(z.minLength(1)), continue: z.nullish(z.string()) }),
  items: z.nullish(z.array(z.unknown())),
});
const eventSchema = z.object({
  type: z.enum(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR']),
  object: z.unknown(),
});

const EXPIRED = { type: 'expired' } as const;

const isExpired = ({ status, reason }: ApiError): boolean =>
  status === 410 || reason === 'Expired' || reason === 'Gone';

/** An ERROR event as a frame: the server answered, and this watch cannot go on, whatever code the event carries. */
const failedFrame = (problem: ApiError): WatchFrame<never> => {
  if (isExpired(problem)) return EXPIRED;
  const { status, message, retryAfterMs } = problem;
  return { type: 'failed', status, error: message, retryAfterMs };
};

interface Page<T> extends Listing<T> {
  /** The token of the next page; empty at the end. */
  readonly next: string;
}

/** The Kubernetes list and watch of some objects: one list, one connection. It neither resumes nor retries. */
export const watchObjects = <T>(client: KubeClient, watched: WatchedObjects<T>): WatchPort<T> => {
  const { path, query = {}, limit, metadataOnly = false, parse, timeoutSeconds } = watched;

  const frameOf = (subject: string, line: StreamLine): WatchFrame<T> => {
    if (line.type === 'opened') return line;
    return decodeOrThrow(subject, () => {
      const { type, object } = eventSchema.parse(line.value);
      if (type === 'ERROR') return failedFrame(watchEventProblem(subject, object));
      const { resourceVersion } = metaSchema.parse(object).metadata;
      if (type === 'BOOKMARK') return { type: 'bookmark', resourceVersion };
      return { type: type === 'DELETED' ? 'deleted' : 'applied', resourceVersion, object: parse(object) };
    });
  };

  /** A page of the list, after which `next` leads to the following one. */
  const pageOf = (paged: Readonly<Record<string, string>>): Observable<Page<T>> => {
    const headers = metadataOnly ? { headers: metadataAs('PartialObjectMetadataList') } : {};
    const request: KubeRequest = { method: 'GET', path, query: { ...query, ...paged }, ...headers };
    return client.send(request).pipe(
      map((answer) =>
        decodeOrThrow(requestSubject(request).text, () => {
          const { metadata, items } = listSchema.parse(answer);
          return {
            resourceVersion: metadata.resourceVersion,
            items: (items ?? []).map(parse),
            next: metadata.continue ?? '',
          };
        }),
      ),
    );
  };

  /** All pages as of one resourceVersion. Once that is too old to read the next page from, one page of everything. */
  const pages$ = defer(() => {
    const paged = limit === undefined ? {} : { limit: String(limit) };
    return pageOf(paged).pipe(
      expand(({ next }) => (next === '' ? EMPTY : pageOf({ ...paged, continue: next }))),
      toArray(),
      catchError((error: unknown) =>
        error instanceof ApiError && isExpired(error) ? pageOf({}).pipe(toArray()) : throwError(() => error),
      ),
    );
  });

  return {
    list: () =>
      pages$.pipe(
        map((pages): Listing<T> => ({
          resourceVersion: pages.at(-1)?.resourceVersion ?? '',
          items: pages.flatMap(({ items }) => items),
        })),
      ),

    watch(resourceVersion) {
      return defer(() => {
        const watching = { watch: 'true', allowWatchBookmarks: 'true', resourceVersion };
        const request: KubeRequest = {
          method: 'GET',
          path,
          query: { ...query, ...watching, timeoutSeconds: String(Math.max(1, Math.round(timeoutSeconds()))) },
          timeoutMs: OPENING_TIMEOUT_MS,
          ...(metadataOnly ? { headers: metadataAs('PartialObjectMetadata') } : {}),
        };
        const subject = requestSubject(request).text;
        return client.stream(request).pipe(
          map((line) => frameOf(subject, line)),
          takeWhile(({ type }) => type !== 'expired' && type !== 'failed', true),
          catchError((error: unknown) =>
            error instanceof ApiError && isExpired(error) ? of(EXPIRED) : throwError(() => error),
          ),
        );
      });
    },
  };
};

const SHORTEST_SECONDS = 30 * 60;

/**
 * Returns how long the API server should keep a watch open: 30 to 60 minutes, so that a hundred quiet replicas
 * reconnect about twice a minute in total and never all at once (client-go uses 5 to 10 minutes).
 */
export const watchSeconds = (): number => Math.round(SHORTEST_SECONDS * (1 + Math.random()));
