import {
  EMPTY,
  concat,
  connect,
  defer,
  distinctUntilChanged,
  endWith,
  exhaustMap,
  filter,
  ignoreElements,
  map,
  merge,
  of,
  repeat,
  startWith,
  switchMap,
  takeUntil,
  takeWhile,
  tap,
  timer,
} from 'rxjs';
import type { Observable } from 'rxjs';
import type { Clock } from './clock.ts';
import { isOlderVersion } from './is-older-version.ts';
import type { LeaseQueue } from './lease-queue.ts';
import type { LeaseSnapshot } from './model.ts';
import { retryWithBackoff } from './retry-with-backoff.ts';

/** Whether this replica may still write: it renewed less than RENEW_DEADLINE ago, by a clock that never jumps. */
export type Fence = () => boolean;

export type ElectionEvent =
  | { readonly type: 'leadership/acquired'; readonly fence: Fence }
  | { readonly type: 'leadership/renewed' }
  | { readonly type: 'leadership/lost'; readonly reason: 'deposed' | 'renew-deadline' }
  | { readonly type: 'leadership/released' }
  | {
      readonly type: 'leadership/failed';
      readonly status: number | null;
      readonly error: string;
      readonly retryInMs: number;
    };

export interface ElectionSources {
  /** Hot; null when there is no Lease. */
  readonly lease$: Observable<LeaseSnapshot | null>;
  /** Ends the candidacy; a leader then releases the Lease, and the stream completes. */
  readonly stop$: Observable<unknown>;
}

export interface ElectionPorts {
  readonly queue: LeaseQueue;
  readonly clock: Clock;
  readonly random: () => number;
}

export interface ElectionPolicy {
  readonly identity: string;
  readonly renewDeadlineMs: number;
  readonly retryPeriodMs: number;
}

/** Spreads the candidates for a vacant Lease, so that one write wins and few are refused. */
const JITTER_MS = 100;
/** A Lease that cannot be released in this time is left to expire. */
const RELEASE_MS = 3_000;

/** What an elector looks at. Every renewal is another record; annotations and managedFields are not part of it. */
const sameRecord = (left: LeaseSnapshot | null, right: LeaseSnapshot | null): boolean =>
  left?.uid === right?.uid &&
  left?.holder === right?.holder &&
  left?.renewTime === right?.renewTime &&
  left?.transitions === right?.transitions;

/**
 * Candidate, leader, candidate again. A candidate sends nothing: it counts how long the record it sees has not changed,
 * by its own timer, and writes only to a Lease that is absent, released, its own or expired in that sense.
 *
 *     lease    --a1----a2----a3--------------------b1----b2----   a dies after its third renewal
 *     result   -----------------------------------A-------r---   A acquired, r renewed
 *                            |--- duration ---|
 */
export const election = (
  { lease$, stop$ }: ElectionSources,
  { queue, clock, random }: ElectionPorts,
  { identity, renewDeadlineMs, retryPeriodMs }: ElectionPolicy,
): Observable<ElectionEvent> =>
  defer(() => {
    let newest: LeaseSnapshot | null | undefined;
    let renewedAtMs = -Infinity;
    let leading = false;

    const fence: Fence = () => leading && clock.monotonicMs() - renewedAtMs < renewDeadlineMs;

    const hold = (kind: 'claim' | 'renew'): Observable<LeaseSnapshot | ElectionEvent> =>
      defer(() => {
        const sentAtMs = clock.monotonicMs();
        const basis = newest ?? null;
        return queue.write({ kind: basis === null ? 'claim' : kind }, basis).pipe(tap(() => (renewedAtMs = sentAtMs)));
      }).pipe(
        retryWithBackoff(random, ({ status, message }, retryInMs): ElectionEvent => ({
          type: 'leadership/failed',
          status,
          error: message,
          retryInMs,
        })),
      );

    const vacantInMs = (seen: LeaseSnapshot | null): number => {
      if (seen?.holder == null) return Math.round(random() * JITTER_MS);
      return seen.holder === identity ? 0 : seen.durationMs;
    };

    const isRival = (lease: LeaseSnapshot | null): boolean => lease?.holder != null && lease.holder !== identity;

    const follow = (hot$: Observable<LeaseSnapshot | null>): Observable<LeaseSnapshot | ElectionEvent> =>
      (newest === undefined ? hot$ : hot$.pipe(startWith(newest))).pipe(
        distinctUntilChanged(sameRecord),
        switchMap((seen) => timer(vacantInMs(seen)).pipe(map(() => seen))),
        exhaustMap((seen) => {
          const contested$ = hot$.pipe(filter((lease) => isRival(lease) && !sameRecord(lease, seen)));
          return hold('claim').pipe(takeUntil(contested$));
        }),
        takeWhile((item) => 'type' in item, true),
      );

    const lead = (hot$: Observable<LeaseSnapshot | null>, claimed: LeaseSnapshot): Observable<ElectionEvent> => {
      leading = true;
      const vanished$ = hot$.pipe(filter((lease) => lease === null));
      const renewal$ = merge(timer(retryPeriodMs, retryPeriodMs), vanished$).pipe(
        exhaustMap(() => hold('renew')),
        map((item): ElectionEvent => ('type' in item ? item : { type: 'leadership/renewed' })),
      );
      const deposed$ = hot$.pipe(
        filter((lease) => lease !== null && lease.holder !== identity),
        filter((lease) => lease !== null && !isOlderVersion(lease.resourceVersion, claimed.resourceVersion)),
        map((): ElectionEvent => ({ type: 'leadership/lost', reason: 'deposed' })),
      );
      const overdue = (): Observable<ElectionEvent> =>
        timer(renewDeadlineMs).pipe(map(() => ({ type: 'leadership/lost', reason: 'renew-deadline' })));

      return merge(
        deposed$,
        renewal$.pipe(
          startWith<ElectionEvent>({ type: 'leadership/acquired', fence }),
          connect((event$) =>
            merge(
              event$,
              event$.pipe(
                filter((event) => event.type !== 'leadership/failed'),
                switchMap(overdue),
              ),
            ),
          ),
        ),
      ).pipe(
        takeWhile((event) => event.type !== 'leadership/lost', true),
        tap((event) => (leading = event.type !== 'leadership/lost')),
      );
    };

    const candidacy$ = lease$.pipe(
      connect((hot$) =>
        merge(
          hot$.pipe(
            tap((lease) => (newest = lease)),
            ignoreElements(),
          ),
          defer(() => follow(hot$)).pipe(
            switchMap((item) => ('type' in item ? of(item) : lead(hot$, item))),
            repeat(),
            takeUntil(hot$.pipe(ignoreElements(), endWith('the Lease stream has ended'))),
          ),
        ),
      ),
      takeUntil(stop$),
    );

    const release$ = defer((): Observable<ElectionEvent> => {
      if (!leading) return EMPTY;
      leading = false;
      return queue.write({ kind: 'release' }, newest ?? null).pipe(
        ignoreElements(),
        endWith<ElectionEvent>({ type: 'leadership/released' }),
        retryWithBackoff(random, ({ status, message }, retryInMs): ElectionEvent => ({
          type: 'leadership/failed',
          status,
          error: message,
          retryInMs,
        })),
        takeUntil(timer(RELEASE_MS)),
      );
    });

    return concat(candidacy$, release$);
  });
