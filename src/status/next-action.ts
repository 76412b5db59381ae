import { allAcknowledged } from '../../streams/acknowledged.ts';
import type { ClusterState } from '../../streams/observe-cluster.ts';
import type { ReplicaPolicy } from '../../streams/replica.ts';
import type { Step } from '../../streams/step.ts';

type NextAction = Step['kind'] | 'await-acknowledgements' | 'hold-overlap';

/**
 * The leader's next write, as its own planner says, or what it holds for; null when there is nothing to do, or when the
 * cluster has not been seen yet. Pure.
 *
 * @param nowMs wall clock
 */
export const nextAction = (
  observation: ClusterState | null,
  policy: ReplicaPolicy,
  nowMs: number,
): NextAction | null => {
  if (observation === null) return null;
  const targets = observation.targets.map((target) => ({ ...target, held: false }));
  const step = policy.issuer.plan({ ...observation, targets }, policy, nowMs);
  if (step !== null) return step.kind;

  const { lease, ca: authority, replicas } = observation;
  if (lease.announcement === null || replicas === 'pending') return null;
  // An external issuer's authorities are not to be seen, but that both are held is on the Lease.
  const overlaps = lease.servedSinceMs !== null || (typeof authority !== 'string' && authority.bundle.length > 1);
  const isProved = allAcknowledged(replicas, lease.announcement.hash, { identity: policy.identity, nowMs });
  if (overlaps) return isProved ? 'hold-overlap' : 'await-acknowledgements';
  const acknowledges = replicas !== 'forbidden' && replicas.some(({ servingHash }) => servingHash !== null);
  return acknowledges && !isProved ? 'await-acknowledgements' : null;
};
