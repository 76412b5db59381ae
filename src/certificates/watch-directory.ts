import { statSync, watch as watchPath } from 'node:fs';
import {
  catchError,
  defer,
  EMPTY,
  filter,
  map,
  merge,
  Observable,
  of,
  repeat,
  switchMap,
  takeUntil,
  timer,
} from 'rxjs';
import { errnoOf } from '../util/errors.ts';

type WatchFailure = 'directory-absent' | 'watches-exhausted' | 'watch-failed';

type OpenWatch = (
  directory: string,
  listener: (event: string, name: string | null) => void,
) => { on(event: 'error', listener: (error: Error) => void): unknown; close(): void };

export interface WatchOptions {
  /** Called once for each kind of failure, however long it lasts. */
  readonly onFailure?: (kind: WatchFailure, detail: string) => void;
  /** Interval in ms at which a failed watch is retried and a working one is compared with the directory; 15 s. */
  readonly rearmMs?: number;
  /** Opens a watch; inotify unless a spec replaces it. */
  readonly open?: OpenWatch;
}

const openInotify: OpenWatch = (directory, listener) => watchPath(directory, { persistent: false }, listener);

const failureOf = (errno: string): WatchFailure => {
  if (errno === 'ENOENT' || errno === 'ENOTDIR') return 'directory-absent';
  return ['ENOSPC', 'EMFILE', 'ENFILE'].includes(errno) ? 'watches-exhausted' : 'watch-failed';
};

/** Whether a change can be read: a kubelet prepares `..2026_…` and `..data_tmp` first; only the swap of `..data` itself changes what can be read. */
const isReadable = (name: string | null): boolean => name === null || name === '..data' || !name.startsWith('..');

/** Identifies the directory, by a blocking call: through Node's thread pool it would wake another thread each time. */
const identityOf = (directory: string): string => {
  const { dev, ino } = statSync(directory, { bigint: true });
  return `${dev}:${ino}`;
};

const namesMoved = (directory: string, open: OpenWatch): Observable<string | null> =>
  new Observable((subscriber) => {
    const watcher = open(directory, (_, name) => subscriber.next(name));
    watcher.on('error', (error) => subscriber.error(error));
    return () => watcher.close();
  });

/**
 * Emits when something in the directory changed. Watches the directory, since a watch on a file reports nothing after the
 * first swap of `..data`, and watches anew when the directory has been replaced. Never errs: without inotify, without
 * free watches or without a directory it does not emit, reports that once, and tries again (law F9).
 *
 *     directory   (absent)----------created---..data swapped---
 *     failure     F
 *     result      ------------------m---------m----------------
 */
export const watchDirectory = (directory: string, options: WatchOptions = {}): Observable<void> =>
  defer(() => {
    const { onFailure, rearmMs = 15_000, open = openInotify } = options;
    const reported = new Set<WatchFailure>();
    let tried = false;

    const identity$ = defer(() => of(identityOf(directory)));

    const session$ = identity$.pipe(
      switchMap((identity) => {
        const replaced$ = timer(rearmMs, rearmMs).pipe(
          map(() => identityOf(directory)),
          filter((now) => now !== identity),
        );
        // Changes between two watches are unobserved; the first reading needs no event.
        const missed$ = tried ? of(null) : EMPTY;
        tried = true;
        return merge(namesMoved(directory, open), missed$).pipe(filter(isReadable), takeUntil(replaced$));
      }),
      map(() => undefined),
    );

    return session$.pipe(
      catchError((error: unknown) => {
        const errno = errnoOf(error);
        const kind = failureOf(errno);
        tried = true;
        if (!reported.has(kind)) {
          reported.add(kind);
          onFailure?.(kind, `${errno} while watching ${directory}`);
        }
        return EMPTY;
      }),
      repeat({ delay: () => timer(rearmMs) }),
    );
  });
