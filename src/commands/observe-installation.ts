import { NEVER, filter, map, merge, share } from 'rxjs';
import type { Observable } from 'rxjs';
import { observeCluster } from '../../streams/observe-cluster.ts';
import type { Observation } from '../../streams/observe-cluster.ts';
import { resumingWatch } from '../../streams/resuming-watch.ts';
import { trackedObject } from '../../streams/tracked-object.ts';
import type { LeasePorts } from '../../streams/lease-snapshot.ts';
import type { LeaseSnapshot } from '../../streams/model.ts';
import { clusterPaths } from '../cluster-paths.ts';
import type { Config } from '../config.ts';
import type { KubeClient } from '../kube/client.ts';
import { observationPorts } from '../observation-ports.ts';
import { replicaPolicy } from '../replica-policy.ts';

export interface SeenInstallation {
  /** Every part known, or known not to be readable. */
  readonly observation$: Observable<Observation>;
  /** Why something cannot be watched, one line each time. */
  readonly trouble$: Observable<string>;
}

const isComplete = ({ secret, authority, replicas, targets }: Observation): boolean =>
  [secret, authority, replicas, ...targets.map(({ state }) => state)].every((state) => state !== 'unknown');

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
