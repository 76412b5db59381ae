import {
  catchError,
  concat,
  defer,
  EMPTY,
  endWith,
  filter,
  map,
  NEVER,
  type Observable,
  of,
  race,
  repeat,
  take,
  takeWhile,
  tap,
  throwError,
  timeout,
  timer,
} from 'rxjs';
import { retryDelayMs } from './backoff.ts';
import type { WatchItem } from './events.ts';
import { Problem } from './problem.ts';
import type { WatchFrame, WatchPort } from './watch-port.ts';

export interface WatchPolicy {
  /** Silence after which a connection is taken for dead, ms. */
  readonly staleAfterMs: number;
  readonly random: () => number;
  /** A sign that the server answers again: it ends a pause that began because it had not. */
  readonly wake$?: Observable<unknown>;
}

type Ending<T> = Extract<WatchItem<T>, { type: 'watch/closed' | 'watch/failed' }>;

/** Pauses from this failure on, 3.2 s and more, are worth being ended early; the first two retries are soon there. */
const WAKEABLE = 3;

const isEnding = <T>(item: WatchItem<T>): item is Ending<T> =>
  item.type === 'watch/closed' || item.type === 'watch/failed';

/**
 * List once, watch from there, and never end: resumes by resourceVersion when the server ends the connection or it
 * breaks, lists afresh on 410 and after silence. The first clean end is resumed at once, repeated ones back off; a
 * connection that has carried anything but its opening starts the count again, and so does a 410 after an outage; a sign
 * of life from a server that did not answer ends the pause.
 *
 *     list    L                         L
 *     watch   -o--a--a|-o--a--#~~~~-o--x-o---…
 *     result  Le--a--aC-e--a--F~~~~-e--XLe---…      C ended, F failed, X version too old, ~ back-off
 */
export const resumingWatch = <T>(
  port: WatchPort<T>,
  { staleAfterMs, random, wake$ = NEVER }: WatchPolicy,
): Observable<WatchItem<T>> =>
  defer(() => {
    /** Empty: list first. */
    let resumeFrom = '';
    let failures = 0;
    let waitMs = 0;
    let unanswered = false;

    const list$ = defer(() => (resumeFrom === '' ? port.list() : EMPTY)).pipe(
      tap((listing) => (resumeFrom = listing.resourceVersion)),
      map(({ items, resourceVersion }): WatchItem<T> => ({ type: 'watch/listed', items, resourceVersion })),
    );

    const toItem = (frame: WatchFrame<T> | { readonly type: 'silent' }): WatchItem<T> | null => {
      if (frame.type === 'opened') return { type: 'watch/established', resourceVersion: resumeFrom };
      if (frame.type === 'expired' || frame.type === 'silent') {
        resumeFrom = '';
        return { type: 'watch/closed', reason: frame.type };
      }
      resumeFrom = frame.resourceVersion;
      failures = 0;
      if (frame.type === 'bookmark') return null;
      return frame.type === 'applied'
        ? { type: 'watch/applied', object: frame.object }
        : { type: 'watch/deleted', object: frame.object };
    };

    const connection$ = defer(() => port.watch(resumeFrom)).pipe(
      timeout({ each: staleAfterMs, with: () => of({ type: 'silent' } as const) }),
      map(toItem),
      endWith({ type: 'watch/closed', reason: 'ended' } as const),
    );

    const session$ = concat(list$, connection$).pipe(
      takeWhile((item) => item === null || !isEnding(item), true),
      catchError((error: unknown): Observable<WatchItem<T>> => {
        if (!(error instanceof Problem)) return throwError(() => error);
        if (error.status === 410) resumeFrom = '';
        return of({ type: 'watch/failed', status: error.status, error: error.message, retryInMs: 0 });
      }),
      map((item) => {
        if (item === null || !isEnding(item)) return item;
        const isOutdated = item.type === 'watch/closed' ? item.reason === 'expired' : item.status === 410;
        // It answers again, and what it asks for is a list: its silence before that counts no more.
        failures = isOutdated && unanswered ? 1 : failures + 1;
        unanswered = item.type === 'watch/failed' && item.status === null;
        waitMs = item.type === 'watch/closed' && failures === 1 ? 0 : retryDelayMs(failures, random());
        return item.type === 'watch/failed' ? { ...item, retryInMs: waitMs } : item;
      }),
    );

    return session$.pipe(
      repeat({
        delay: () => (unanswered && failures >= WAKEABLE ? race(timer(waitMs), wake$).pipe(take(1)) : timer(waitMs)),
      }),
      filter((item) => item !== null),
    );
  });
