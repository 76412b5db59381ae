import {
  defer,
  EMPTY,
  filter,
  ignoreElements,
  interval,
  map,
  merge,
  type Observable,
  share,
  shareReplay,
  Subject,
  switchMap,
  takeUntil,
  tap,
} from 'rxjs';
import type { ReplicaEvent } from './events.ts';
import { follower, type FollowerPolicy, type FollowerPorts } from './follower.ts';
import { leader, type LeaderPolicy, type LeaderPorts } from './leader.ts';
import { type ElectionPolicy, leaderElection } from './leader-election.ts';
import { type LeasePorts, leaseSnapshot } from './lease-snapshot.ts';
import { type LeaseWritePort, leaseWriter } from './lease-writer.ts';
import type { LeaseSnapshot, VerifiedPair } from './model.ts';
import type { Readiness } from './readiness.ts';
import type { WatchPolicy } from './resuming-watch.ts';

export type ReplicaPorts = FollowerPorts & LeasePorts & LeaseWritePort & Omit<LeaderPorts, 'queue'>;

export interface ReplicaPolicy extends FollowerPolicy, ElectionPolicy, LeaderPolicy, Omit<WatchPolicy, 'random'> {
  readonly tickMs: number;
  /** False: never issue. */
  readonly leaderElection: boolean;
  /** Silence after which one of the leader's own watches, which are quiet by nature, is considered dead, ms. */
  readonly quietAfterMs: number;
}

export type { ReplicaEvent } from './events.ts';

export interface ReplicaStreams {
  /** All that happens; subscribe once, unsubscribe to stop. */
  readonly event$: Observable<ReplicaEvent>;
  /** Whether and what this replica serves; replays the newest. Alive while `event$` is subscribed. */
  readonly readiness$: Observable<Readiness>;
  /** What this replica serves, each pair once; replays the newest. Alive while `event$` is subscribed. */
  readonly certificate$: Observable<VerifiedPair>;
}

/**
 * One replica: the Lease, seen once and shared; the follower that every replica is; the candidate that may become the
 * leader; the leader, for as long as it holds the Lease.
 *
 *     lease      --l-----m------n--------------o----
 *     follower   -----served---------------served---
 *     election   -----------acquired----------lost--
 *     leader                --d--d--d-----d---
 */
export const replica = (ports: ReplicaPorts, policy: ReplicaPolicy, stop$: Observable<unknown>): ReplicaStreams => {
  const queue = leaseWriter(ports);
  const asked$ = new Subject<unknown>();
  const tick$ = interval(policy.tickMs).pipe(share());
  const watchPolicy = { staleAfterMs: policy.staleAfterMs, random: ports.random };

  const leaseEvent$ = leaseSnapshot({ tick$, asked$, written$: queue.written$ }, ports, watchPolicy).pipe(share());
  const lease$ = leaseEvent$.pipe(
    filter((event) => event.type === 'lease/observed'),
    map(({ lease }) => lease),
    shareReplay({ bufferSize: 1, refCount: true }),
  );
  const held$ = lease$.pipe(filter((lease): lease is LeaseSnapshot => lease !== null));

  // The Lease is asked for each tick while it is not watched: whatever else waits for the server can go by that.
  const apiReachable$ = leaseEvent$.pipe(filter(({ type }) => type === 'lease/observed'));

  const {
    event$: followed$,
    readiness$,
    certificate$,
    unannounced$,
  } = follower({ lease$, tick$, apiReachable$ }, ports, policy);

  const election$ = defer(() =>
    policy.leaderElection ? leaderElection({ lease$, stop$ }, { ...ports, queue, apiReachable$ }, policy) : EMPTY,
  ).pipe(share());

  const led$ = election$.pipe(
    filter((event) => event.type === 'leadership/acquired' || event.type === 'leadership/lost'),
    switchMap((event) =>
      event.type === 'leadership/acquired'
        ? leader(
            { lease$: held$, tick$ },
            event.fence,
            { ...ports, queue },
            { ...policy, staleAfterMs: policy.quietAfterMs, random: ports.random, apiReachable$ },
          )
        : EMPTY,
    ),
    takeUntil(stop$),
  );

  return {
    readiness$,
    certificate$,
    // In the order of cause and effect, since that is how it is logged.
    event$: merge(leaseEvent$, followed$, unannounced$.pipe(tap(asked$), ignoreElements()), election$, led$),
  };
};
