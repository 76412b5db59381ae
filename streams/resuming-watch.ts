import {
  concat,
  defer,
  EMPTY,
  endWith,
  filter,
  map,
  NEVER,
  type Observable,
  of,
  repeat,
  takeWhile,
  tap,
  timeout,
} from 'rxjs';
import { retryPause } from './backoff.ts';
import { catchProblem } from './catch-problem.ts';
import type { WatchItem } from './events.ts';
import type { WatchFrame, WatchPort } from './watch-port.ts';

export interface WatchPolicy {
  /** Silence after which a connection is considered dead, ms. */
  readonly staleAfterMs: number;
  readonly random: () => number;
  /** The API server has answered another request: cuts a pause short that began because no answer came. Hot. */
  readonly apiReachable$?: Observable<unknown>;
}

type WatchFailed<T> = Extract<WatchItem<T>, { type: 'watch/failed' }>;

/** How one connection ended, and what follows from it for the next one. */
interface Ending<T> {
  readonly type: 'ending';
  readonly item: Extract<WatchItem<T>, { type: 'watch/closed' | 'watch/failed' }>;
  readonly answered: boolean;
  /** The resourceVersion cannot be resumed from. */
  readonly outdated: boolean;
  readonly retryAfterMs: number | null;
}

/** From this failure in a row on each attempt begins with a list: without a watch that lasts, the stream polls. */
const LISTS_FROM = 3;

/** Answers to a watch that reject its resourceVersion: 410 too old; 400 unknown, as after a restore of etcd. */
const REJECTED_VERSION = new Set<number | null>([400, 410]);

/**
 * Lists once, watches from there, and never ends. Resumes by resourceVersion when the server ends the connection or it
 * breaks; lists afresh when the version was rejected, after any ERROR event, after silence, and after several failures
 * in a row, as client-go's reflector does. The first clean end is resumed at once, repeated ones back off. A connection
 * that has carried anything but its opening starts the count again, and so does a rejected version after an outage.
 *
 *     list    L                         L
 *     watch   -o--a--a|-o--a--#~~~~-o--x-o---…
 *     result  Le--a--aC-e--a--F~~~~-e--XLe---…      C ended, F failed, X version too old, ~ back-off
 */
export const resumingWatch = <T>(
  port: WatchPort<T>,
  { staleAfterMs, random, apiReachable$ = NEVER }: WatchPolicy,
): Observable<WatchItem<T>> =>
  defer(() => {
    const pause = retryPause(random, apiReachable$);
    /** Empty: list first. */
    let resumeFrom = '';
    let waitMs = 0;
    let lastFailed: WatchFailed<T> | null = null;

    const list$ = defer(() => (resumeFrom === '' ? port.list() : EMPTY)).pipe(
      tap((listing) => (resumeFrom = listing.resourceVersion)),
      map(({ items, resourceVersion }): WatchItem<T> => ({ type: 'watch/listed', items, resourceVersion })),
    );

    const closed = (reason: 'ended' | 'expired' | 'silent'): Ending<T> => ({
      type: 'ending',
      item: { type: 'watch/closed', reason },
      answered: true,
      outdated: reason === 'expired',
      retryAfterMs: null,
    });

    const failed = (
      status: number | null,
      error: string,
      facts: Pick<Ending<T>, 'answered' | 'outdated' | 'retryAfterMs'>,
    ): Ending<T> => ({ type: 'ending', item: { type: 'watch/failed', status, error, retryInMs: 0 }, ...facts });

    const toItem = (frame: WatchFrame<T> | { readonly type: 'silent' }): WatchItem<T> | Ending<T> | null => {
      if (frame.type === 'opened') return { type: 'watch/established', resourceVersion: resumeFrom };
      if (frame.type === 'expired' || frame.type === 'silent') return closed(frame.type);
      if (frame.type === 'failed') {
        const { status, error, retryAfterMs } = frame;
        return failed(status, error, { answered: true, outdated: true, retryAfterMs });
      }
      resumeFrom = frame.resourceVersion;
      pause.succeeded();
      lastFailed = null;
      if (frame.type === 'bookmark') return null;
      return frame.type === 'applied'
        ? { type: 'watch/applied', object: frame.object }
        : { type: 'watch/deleted', object: frame.object };
    };

    const connection$ = defer(() => port.watch(resumeFrom)).pipe(
      timeout({ each: staleAfterMs, with: () => of({ type: 'silent' } as const) }),
      map(toItem),
      endWith(closed('ended')),
    );

    const concluded = ({ item, answered, outdated, retryAfterMs }: Ending<T>): WatchItem<T> => {
      const delayMs = pause.failed({ answered, restarts: outdated, retryAfterMs });
      const silent = item.type === 'watch/closed' && item.reason === 'silent';
      if (outdated || silent || pause.failures() >= LISTS_FROM) resumeFrom = '';
      waitMs = item.type === 'watch/closed' && pause.failures() === 1 ? 0 : delayMs;
      if (item.type === 'watch/closed') return item;
      const repeated = lastFailed?.status === item.status && lastFailed.error === item.error;
      lastFailed = item;
      return { ...item, retryInMs: waitMs, ...(repeated ? { repeated } : {}) };
    };

    const session$ = concat(list$, connection$).pipe(
      catchProblem(({ status, message, retryAfterMs }) =>
        of(
          failed(status, message, { answered: status !== null, outdated: REJECTED_VERSION.has(status), retryAfterMs }),
        ),
      ),
      takeWhile((item) => item?.type !== 'ending', true),
      map((item) => (item?.type === 'ending' ? concluded(item) : item)),
    );

    return session$.pipe(
      repeat({ delay: () => pause.wait(waitMs) }),
      filter((item) => item !== null),
    );
  });
