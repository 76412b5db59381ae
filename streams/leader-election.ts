import {
  concat,
  connect,
  defer,
  EMPTY,
  endWith,
  ignoreElements,
  map,
  merge,
  NEVER,
  type Observable,
  of,
  repeat,
  startWith,
  switchMap,
  takeUntil,
  tap,
  timer,
} from 'rxjs';
import { acquireLease } from './acquire-lease.ts';
import type { ElectionEvent } from './events.ts';
import type { LeaseSnapshot } from './model.ts';
import { type RenewalPolicy, renewLease } from './renew-lease.ts';
import { retryWithBackoff } from './retry-with-backoff.ts';
import { type ElectionPorts, leadershipFailed, tryAcquireOrRenew } from './try-acquire-or-renew.ts';

export type { ElectionEvent } from './events.ts';
export type ElectionPolicy = RenewalPolicy;

interface ElectionSources {
  /** Hot; null when there is no Lease. */
  readonly lease$: Observable<LeaseSnapshot | null>;
  /** Ends the election: a leader then releases the Lease, and the stream completes. */
  readonly stop$: Observable<unknown>;
}

/** A Lease that cannot be released within this time is left to expire. */
const RELEASE_MS = 3_000;

/**
 * Runs the leader election as client-go's elector does: candidate, leader, candidate again. On stop it releases the Lease
 * that it holds (L7).
 *
 *     lease    --a1----a2----a3--------------------b1----b2-----b3--
 *     stop     ---------------------------------------------s
 *     result   -----------------------------------A-------r-(R|)     A acquired, r renewed, R released
 *                            |--- duration ---|
 */
export const leaderElection = (
  { lease$, stop$ }: ElectionSources,
  ports: ElectionPorts,
  policy: ElectionPolicy,
): Observable<ElectionEvent> =>
  defer(() => {
    let newest: LeaseSnapshot | null | undefined;
    /** Another process was seen to renew under this identity: its Lease is left to it until it stops renewing. */
    let identityIsShared = false;
    const { identity } = policy;
    const { queue, clock, random, apiReachable$ = NEVER } = ports;
    const attempt = (kind: 'claim' | 'renew') => tryAcquireOrRenew(kind, () => newest ?? null, ports);

    const release$ = defer(() => (newest?.holder === identity ? queue.write({ kind: 'release' }, newest) : EMPTY)).pipe(
      map((): ElectionEvent => ({ type: 'leadership/released' })),
      retryWithBackoff(random, leadershipFailed, apiReachable$),
      takeUntil(timer(RELEASE_MS)),
    );

    return lease$.pipe(
      tap((lease) => (newest = lease)),
      connect((hot$) => {
        const known$ = defer(() => (newest === undefined ? hot$ : hot$.pipe(startWith(newest))));
        const end$ = merge(stop$, hot$.pipe(ignoreElements(), endWith('the Lease stream has ended')));

        const leading$ = acquireLease(known$, attempt('claim'), { identity, random }, () => identityIsShared).pipe(
          switchMap((item) =>
            item.type === 'lease/held'
              ? renewLease(item, { lease$: hot$, renew$: attempt('renew') }, clock, policy)
              : of(item),
          ),
          tap((event) => {
            if (event.type === 'leadership/lost') identityIsShared = event.reason === 'shared-identity';
          }),
          repeat(),
          takeUntil(end$),
        );
        // The Lease is followed until it is released: an aborted renewal may have been accepted.
        return concat(leading$, release$);
      }),
    );
  });
