import {
  combineLatest,
  filter,
  map,
  merge,
  NEVER,
  type Observable,
  scan,
  share,
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
  nextReport,
  rotationHint,
  type RotationReport,
  type RotationStart,
  type RotationTerms,
} from './rotation-progress.ts';

interface FollowTerms extends Omit<RotationTerms, 'nowMs'> {
  readonly namespace: string;
  /** How long nothing may happen before it is given up. */
  readonly patienceMs: number;
}

/** A Pod can be past its end without an event. */
const LOOK_AGAIN_MS = 1_000;

/**
 * Follows a rotation until it has ended or stands still.
 *
 * @param seen$ replays the last look
 */
export const followRotation = (
  seen$: Observable<ClusterState>,
  start: RotationStart,
  terms: FollowTerms,
): Observable<RotationReport> => {
  const { namespace, patienceMs } = terms;

  const standstill = (seen: ClusterState): RotationReport => {
    const hint = rotationHint(start, seen, { namespace, nowMs: Date.now() });
    return { ...initialReport, fresh: [`nothing has happened for ${patienceMs / 1000} s: ${hint}`], exitCode: 1 };
  };

  return combineLatest([seen$, timer(0, LOOK_AGAIN_MS)]).pipe(
    scan((report, [seen]) => nextReport(report, start, seen, { ...terms, nowMs: Date.now() }), initialReport),
    filter(({ fresh, exitCode }) => fresh.length > 0 || exitCode !== null),
    timeout({ each: patienceMs, with: () => seen$.pipe(take(1), map(standstill)) }),
    takeWhile(({ exitCode }) => exitCode === null, true),
  );
};

interface SeenInstallation {
  /** Every part known, or known not to be readable. */
  readonly observation$: Observable<ClusterState>;
  /** Why something cannot be watched, one line each time. */
  readonly trouble$: Observable<string>;
}

const isComplete = ({ secret, ca: authority, replicas, targets }: ClusterState): boolean =>
  [secret, authority, replicas, ...targets.map(({ state }) => state)].every((state) => state !== 'pending');

/** What the leader sees, seen from beside it. */
export const observeInstallation = (
  client: KubeClient,
  config: Config,
  { leaseWatch }: Pick<LeasePorts, 'leaseWatch'>,
  written$: Observable<LeaseSnapshot>,
): SeenInstallation => {
  const { staleAfterMs, quietAfterMs } = replicaPolicy(config);
  const random = (): number => Math.random();
  const leaseItem$ = resumingWatch(leaseWatch, { staleAfterMs, random }).pipe(share());
  const lease$ = trackedObject(leaseItem$, written$).pipe(filter((lease) => typeof lease !== 'string'));
  const ports = observationPorts(client, clusterPaths(config), config);
  const { observed$, trouble$ } = observeCluster(lease$, NEVER, ports, { staleAfterMs: quietAfterMs, random });
  const leaseTrouble$ = leaseItem$.pipe(
    filter((item) => item.type === 'watch/failed'),
    map(({ error }) => ({ object: 'lease', error })),
  );
  return {
    observation$: observed$.pipe(filter(isComplete)),
    trouble$: merge(leaseTrouble$, trouble$).pipe(map(({ object, error }) => `cannot watch ${object}: ${error}`)),
  };
};
