import { catchError, defer, map, of, throwError } from 'rxjs';
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
  /** Called for every object; a ZodError it throws becomes a `KubeProblem`. */
  readonly parse: (object: unknown) => T;
  /**
   * Asked at each watch: how long the server should keep it open, in seconds. Spread it (30-60 min), so that replicas
   * do not come back together and a hundred quiet ones cost the API server about two requests a minute.
   */
  readonly timeoutSeconds: () => number;
}

/** The API server answers a watch at once, but may be filling its cache: longer than for a single object. */
const OPENING_TIMEOUT_MS = 30_000;

const metaSchema = z.object({ metadata: z.object({ resourceVersion: z.string().check(z.minLength(1)) }) });
const listSchema = z.extend(metaSchema, { items: z.nullish(z.array(z.unknown())) });
const eventSchema = z.object({
  type: z.enum(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR']),
  object: z.unknown(),
});

const expired = { type: 'expired' } as const;

const isGone = (error: unknown): boolean => error instanceof ApiError && error.status === 410;

/** The Kubernetes list and watch of some objects: one list, one connection. It neither resumes nor retries. */
export const watchObjects = <T>(client: KubeClient, watched: WatchedObjects<T>): WatchPort<T> => {
  const { path, query = {}, parse, timeoutSeconds } = watched;

  const frameOf = (subject: string, line: StreamLine): WatchFrame<T> => {
    if (line.type === 'opened') return line;
    return decodeOrThrow(subject, () => {
      const { type, object } = eventSchema.parse(line.value);
      if (type === 'ERROR') throw watchEventProblem(subject, object);
      const { resourceVersion } = metaSchema.parse(object).metadata;
      if (type === 'BOOKMARK') return { type: 'bookmark', resourceVersion };
      return { type: type === 'DELETED' ? 'deleted' : 'applied', resourceVersion, object: parse(object) };
    });
  };

  return {
    list() {
      const request: KubeRequest = { method: 'GET', path, query };
      return client.send(request).pipe(
        map((answer): Listing<T> =>
          decodeOrThrow(requestSubject(request).text, () => {
            const { metadata, items } = listSchema.parse(answer);
            return { resourceVersion: metadata.resourceVersion, items: (items ?? []).map(parse) };
          }),
        ),
      );
    },

    watch(resourceVersion) {
      return defer(() => {
        const watching = { watch: 'true', allowWatchBookmarks: 'true', resourceVersion };
        const request: KubeRequest = {
          method: 'GET',
          path,
          query: { ...query, ...watching, timeoutSeconds: String(Math.max(1, Math.round(timeoutSeconds()))) },
          timeoutMs: OPENING_TIMEOUT_MS,
        };
        const subject = requestSubject(request).text;
        return client.stream(request).pipe(
          map((line) => frameOf(subject, line)),
          catchError((error: unknown) => (isGone(error) ? of(expired) : throwError(() => error))),
        );
      });
    },
  };
};

const SHORTEST_SECONDS = 30 * 60;

/**
 * How long the API server is asked to keep a watch open: 30 to 60 minutes, so that a hundred quiet replicas come back
 * twice a minute between them and never all at once (client-go asks for 5 to 10).
 */
export const watchSeconds = (): number => Math.round(SHORTEST_SECONDS * (1 + Math.random()));
