import type { ServerResponse } from 'node:http';
import * as failures from './failures.ts';
import { apiVersion, type JsonObject, type KubeObject } from './kube-object.ts';
import { type Match, selectors } from './list-objects.ts';
import type { Change, ObjectStore } from './object-store.ts';
import { type Representation, represented } from './representation.ts';
import type { ResourceType } from './resource-types.ts';
import type { ResourceRequest } from './route.ts';

/** kube-apiserver's --min-request-timeout: a watch without a timeout lasts between once and twice this long. */
const DEFAULT_TIMEOUT_SECONDS = 1_800;

/** The longest delay that a timer takes; a longer one would end the watch at once. */
const MAX_TIMEOUT_SECONDS = Math.floor((2 ** 31 - 1) / 1_000);

/** kube-apiserver sends a last bookmark this long before it ends a watch. */
const LAST_BOOKMARK_MS = 2_000;

const startOf = (query: URLSearchParams): number => {
  const text = query.get('resourceVersion') ?? '';
  if (!/^\d*$/.test(text)) throw failures.versionNotANumber(text);
  return Number(text);
};

/** The requested time, and the default where there is none, as kube-apiserver takes 0; bounded to what a timer takes. */
const timeoutOf = (query: URLSearchParams): number => {
  const requested = Number(query.get('timeoutSeconds') ?? 0);
  const seconds = requested > 0 ? requested : DEFAULT_TIMEOUT_SECONDS * (1 + Math.random());
  return Math.min(seconds, MAX_TIMEOUT_SECONDS);
};

/** Serves a watch until it times out, its client disconnects, or the response is ended. Throws only before it starts. */
export const serveWatch = (
  store: ObjectStore,
  request: ResourceRequest,
  response: ServerResponse,
  options: {
    readonly bookmarkIntervalMs: number;
    readonly representation?: Representation;
    readonly onLine: (type: WatchLine['type']) => void;
  },
): void => {
  const { type, namespace, query } = request;
  const { representation = 'whole' } = options;
  if (representation === 'PartialObjectMetadataList') throw failures.otherRepresentation(representation, 'not a list');
  const match = selectors(type, query);
  const start = startOf(query);
  const timeoutSeconds = timeoutOf(query);
  const write = (line: WatchLine | null) => {
    // An ended response is still subscribed until it has finished, which takes longer under load.
    if (line === null || response.writableEnded) return;
    const object = represented(representation, line.object);
    response.write(`${JSON.stringify({ ...line, object })}\n`);
    options.onLine(line.type);
  };
  const show = (change: Change) => {
    const { metadata } = change.object ?? change.previous ?? {};
    const isInScope = change.type === type && (namespace === null || metadata?.namespace === namespace);
    if (isInScope) write(changeLine(change, match));
  };

  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  const missed = start === 0 ? [] : store.since(start);
  if (missed === null) {
    const { status } = failures.expired(start, store.oldestRevision) satisfies failures.ApiFailure;
    write({ type: 'ERROR', object: status });
    response.end();
    return;
  }
  if (start === 0) for (const object of store.list(type, namespace).filter(match)) write({ type: 'ADDED', object });
  missed.forEach(show);

  const unsubscribe = store.subscribe(show);
  const bookmark = () => write(bookmarkLine(type, store.revision));
  const wantsBookmarks = query.get('allowWatchBookmarks') === 'true' || query.get('allowWatchBookmarks') === '1';
  const timeoutMs = timeoutSeconds * 1_000;
  const timers = [
    setTimeout(() => response.end(), timeoutMs),
    ...(wantsBookmarks ? [setInterval(bookmark, options.bookmarkIntervalMs)] : []),
    ...(wantsBookmarks && timeoutMs >= LAST_BOOKMARK_MS ? [setTimeout(bookmark, timeoutMs - LAST_BOOKMARK_MS)] : []),
  ];
  const leave = () => {
    unsubscribe();
    timers.forEach(clearTimeout);
  };
  response.on('finish', leave).on('close', leave);
};

/** One event of a watch response. */
export interface WatchLine extends JsonObject {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: JsonObject;
}

const at = (object: KubeObject, revision: number): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion: String(revision) },
});

/**
 * The event of a change for a selector, or null when it does not match. An object that stops matching is reported as
 * DELETED, as it last matched, with the resourceVersion of the change.
 */
const changeLine = (change: Change, match: Match): WatchLine | null => {
  const { previous, object, revision } = change;
  const wasShown = previous !== null && match(previous);
  if (object !== null && match(object)) return { type: wasShown ? 'MODIFIED' : 'ADDED', object };
  return wasShown ? { type: 'DELETED', object: at(previous, revision) } : null;
};

const bookmarkLine = (type: ResourceType, revision: number): WatchLine => ({
  type: 'BOOKMARK',
  object: {
    kind: type.kind,
    apiVersion: apiVersion(type),
    metadata: { resourceVersion: String(revision), creationTimestamp: null },
  },
});

/** Counts the watch events sent to each user, for specs that measure what a watch costs. */
export class WatchTally {
  readonly #lines = new Map<string, Map<WatchLine['type'], number>>();

  add(user: string, type: WatchLine['type']): void {
    const own = this.#lines.get(user) ?? new Map<WatchLine['type'], number>();
    this.#lines.set(user, own.set(type, (own.get(type) ?? 0) + 1));
  }

  /** Events of all types except bookmarks, which report no change. */
  changes(user: string): number {
    const own = [...(this.#lines.get(user) ?? [])];
    return own.reduce((sum, [type, lines]) => sum + (type === 'BOOKMARK' ? 0 : lines), 0);
  }

  bookmarks(user: string): number {
    return this.#lines.get(user)?.get('BOOKMARK') ?? 0;
  }
}
