import type { ServerResponse } from 'node:http';
import type { ApiFailure } from './api-failure.ts';
import { failures } from './failures.ts';
import type { Change } from './history.ts';
import type { ObjectStore } from './object-store.ts';
import type { ResourceRequest } from './route.ts';
import { selectors } from './selectors.ts';
import { watchLines } from './watch-lines.ts';
import type { WatchLine } from './watch-lines.ts';

/** kube-apiserver's --min-request-timeout: a watch without its own timeout lasts this long up to twice as long. */
const defaultTimeoutSeconds = 1_800;

/** kube-apiserver sends a last bookmark this long before it ends a watch. */
const lastBookmarkMs = 2_000;

const startOf = (query: URLSearchParams): number => {
  const text = query.get('resourceVersion') ?? '';
  if (!/^\d*$/.test(text)) throw failures.versionNotANumber(text);
  return Number(text);
};

/** Answers a watch until it times out, its client leaves, or somebody ends the response. Errs only before it starts. */
export const serveWatch = (
  store: ObjectStore,
  request: ResourceRequest,
  response: ServerResponse,
  options: { readonly bookmarkIntervalMs: number; readonly onLine: (type: WatchLine['type']) => void },
): void => {
  const { type, namespace, query } = request;
  const match = selectors(type, query);
  const start = startOf(query);
  const timeoutSeconds = Number(query.get('timeoutSeconds') ?? defaultTimeoutSeconds * (1 + Math.random()));
  const write = (line: WatchLine | null) => {
    if (line === null) return;
    response.write(`${JSON.stringify(line)}\n`);
    options.onLine(line.type);
  };
  const show = (change: Change) => {
    const { metadata } = change.object ?? change.previous ?? {};
    const isInScope = change.type === type && (namespace === null || metadata?.namespace === namespace);
    if (isInScope) write(watchLines.changed(change, match));
  };

  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  const missed = start === 0 ? [] : store.since(start);
  if (missed === null) {
    const { status } = failures.expired(start, store.oldestRevision) satisfies ApiFailure;
    write({ type: 'ERROR', object: status });
    response.end();
    return;
  }
  if (start === 0) for (const object of store.list(type, namespace).filter(match)) write({ type: 'ADDED', object });
  missed.forEach(show);

  const unsubscribe = store.subscribe(show);
  const bookmark = () => write(watchLines.bookmark(type, store.revision));
  const wantsBookmarks = query.get('allowWatchBookmarks') === 'true' || query.get('allowWatchBookmarks') === '1';
  const timeoutMs = timeoutSeconds * 1_000;
  const timers = [
    setTimeout(() => response.end(), timeoutMs),
    ...(wantsBookmarks ? [setInterval(bookmark, options.bookmarkIntervalMs)] : []),
    ...(wantsBookmarks && timeoutMs >= lastBookmarkMs ? [setTimeout(bookmark, timeoutMs - lastBookmarkMs)] : []),
  ];
  const leave = () => {
    unsubscribe();
    timers.forEach(clearTimeout);
  };
  response.on('finish', leave).on('close', leave);
};
