import {
  combineLatest,
  filter,
  map,
  merge,
  NEVER,
  type Observable,
  scan,
  share,
  switchMap,
  take,
  takeWhile,
  timeout,
  timer,
} from 'rxjs';
import type { LeasePorts } from '../../streams/lease-snapshot.ts';
import type { LeaseSnapshot } from '../../streams/model.ts';
import { type ClusterState, observeCluster } from '../../streams/observe-cluster.ts';
import { resumingWatch } from '../../streams/resuming-watch.ts';
import { trackedObject } from '../../streams/tracked-object.ts';
import { observationPorts } from '../cluster/observe.ts';
import { clusterPaths } from '../cluster/paths.ts';
import type { Config } from '../config/config.ts';
import { replicaPolicy } from '../daemon/ports.ts';
import type { KubeClient } from '../kube/client.ts';
import {
  initialReport,
  isSettling,
  nextReport,
  rotationHint,
  type RotationReport,
  type RotationStart,
  type RotationTerms,
} from './rotation-progress.ts';

interface FollowTerms extends Omit<RotationTerms, 'nowMs'> {
  readonly namespace: string;
  readonly limit: WaitLimit;
  /** The time, ms since the epoch. */
  readonly clock: () => number;
}

/** How long to follow: a time without progress, or a time in all. */
export interface WaitLimit {
  readonly of: 'standstill' | 'all';
  readonly ms: number;
}

const hasNews = ({ fresh, exitCode }: RotationReport): boolean => fresh.length > 0 || exitCode !== null;

/** Interval of re-evaluation: a Pod can pass its deletion time without an event. */
const EVALUATE_MS = 1_000;

/**
 * Follows a rotation until it has finished or makes no progress. Waiting for TRUST_SETTLE, however long, is progress.
 *
 * @param seen$ replays the last state
 */
export const followRotation = (
  seen$: Observable<ClusterState>,
  start: RotationStart,
  terms: FollowTerms,
): Observable<RotationReport> => {
  const { namespace, limit, clock } = terms;

  const giveUp = (seen: ClusterState): RotationReport => {
    const hint = rotationHint(start, seen, { namespace, nowMs: clock() });
    const what = limit.of === 'all' ? 'not served by every replica after' : 'no progress for';
    return { ...initialReport, fresh: [`${what} ${limit.ms / 1000} s: ${hint}`], exitCode: 1 };
  };
  const givenUp$ = seen$.pipe(take(1), map(giveUp));

  const progress$ = combineLatest([seen$, timer(0, EVALUATE_MS)]).pipe(
    scan(
      ({ report }, [seen]) => {
        const now = { ...terms, nowMs: clock() };
        return { report: nextReport(report, start, seen, now), settles: isSettling(start, seen, now) };
      },
      { report: initialReport, settles: false },
    ),
    filter(({ report, settles }) => hasNews(report) || settles),
    map(({ report }) => report),
  );
  const limited$ =
    limit.of === 'all'
      ? merge(progress$, timer(limit.ms).pipe(switchMap(() => givenUp$)))
      : progress$.pipe(timeout({ each: limit.ms, with: () => givenUp$ }));
  return limited$.pipe(
    filter(hasNews),
    takeWhile(({ exitCode }) => exitCode === null, true),
  );
};

interface ObservedInstallation {
  /** Emits once every object is either read or known to be unreadable. */
  readonly observation$: Observable<ClusterState>;
  /** Reasons why an object cannot be watched, as lines. */
  readonly failure$: Observable<string>;
}

const isComplete = ({ secret, ca: authority, replicas, targets }: ClusterState): boolean =>
  [secret, authority, replicas, ...targets.map(({ state }) => state)].every(
    (state) => state !== 'pending' && state !== 'unreadable',
  );

/** Observes the same objects as the leader. */
export const observeInstallation = (
  client: KubeClient,
  config: Config,
  { leaseWatch }: Pick<LeasePorts, 'leaseWatch'>,
  written$: Observable<LeaseSnapshot>,
): ObservedInstallation => {
  const { staleAfterMs, quietAfterMs } = replicaPolicy(config);
  const random = (): number => Math.random();
  const leaseItem$ = resumingWatch(leaseWatch, { staleAfterMs, random }).pipe(share());
  const lease$ = trackedObject(leaseItem$, written$).pipe(filter((lease) => typeof lease !== 'string'));
  const ports = observationPorts(client, clusterPaths(config), config);
  const { observed$, trouble$: watchFailure$ } = observeCluster(lease$, NEVER, ports, {
    staleAfterMs: quietAfterMs,
    random,
  });
  const leaseFailure$ = leaseItem$.pipe(
    filter((item) => item.type === 'watch/failed'),
    map(({ error }) => ({ object: 'lease', error })),
  );
  return {
    observation$: observed$.pipe(filter(isComplete)),
    failure$: merge(leaseFailure$, watchFailure$).pipe(map(({ object, error }) => `cannot watch ${object}: ${error}`)),
  };
};
