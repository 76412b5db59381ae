import { ignoreElements, merge, NEVER, type Observable, share } from 'rxjs';
import type { RunHelpers, TestScheduler } from 'rxjs/testing';
import { issuers } from '../../streams/issuers.ts';
import { replica, type ReplicaPolicy, type ReplicaPorts, type ReplicaStreams } from '../../streams/replica.ts';
import { followerPorts } from './follower-ports.ts';
import { watchPortOf } from './watch-port-of.ts';

const policy: ReplicaPolicy = {
  identity: 'pod-1',
  tickMs: 2_000,
  staleAfterMs: 60_000,
  quietAfterMs: 600_000,
  certTimeoutMs: null,
  kubeletNudge: true,
  reviewEveryMs: null,
  leaderElection: false,
  renewDeadlineMs: 40_000,
  retryPeriodMs: 15_000,
  issuer: issuers['self-signed'],
  names: ['svc.ns.svc'],
  renewBeforeMs: 0,
  caRenewBeforeMs: 0,
  caOverlapMs: 0,
  trustSettleMs: 0,
};

/**
 * A whole replica that never leads, on the ports that a spec gives it. Its events are shared, so that a spec may look at
 * several types of them, and whichever result is looked at, all of it runs. It ticks for ever: specs must unsubscribe.
 */
export const watchingReplica = (
  helpers: RunHelpers,
  scheduler: TestScheduler,
  ports: Partial<ReplicaPorts>,
  rest: Partial<ReplicaPolicy> = {},
): ReplicaStreams => {
  const unread = watchPortOf<never>([NEVER], [NEVER]);
  const streams = replica(
    {
      ...followerPorts(helpers, scheduler),
      leaseWatch: unread,
      getLease: () => NEVER,
      writeLease: () => NEVER,
      secretWatch: unread,
      caWatch: unread,
      replicaWatch: unread,
      targets: [],
      perform: () => NEVER,
      refresh: () => NEVER,
      ...ports,
    },
    { ...policy, ...rest },
    NEVER,
  );
  const event$ = streams.event$.pipe(share());
  const alive = <T>(result$: Observable<T>): Observable<T> => merge(event$.pipe(ignoreElements()), result$);
  return { event$, readiness$: alive(streams.readiness$), certificate$: alive(streams.certificate$) };
};
