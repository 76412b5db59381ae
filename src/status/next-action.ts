import { allAcknowledged } from '../../streams/acknowledged.ts';
import type { ClusterState } from '../../streams/observe-cluster.ts';
import type { OwnObject } from '../../streams/planner-input.ts';
import type { ReplicaPolicy } from '../../streams/replica.ts';
import { settlesFor } from '../../streams/settle.ts';
import type { Step } from '../../streams/step.ts';
import type { ReplicaState } from './replica-state.ts';

const OWN_OBJECTS: readonly OwnObject[] = ['secret', 'ca', 'announcement'];

type NextAction = Step['kind'] | 'settle-trust' | 'await-acknowledgements' | 'hold-overlap';

/**
 * Returns the leader's next write as its planner decides, or what it waits for. Null when there is nothing to do, or before
 * the cluster has been observed. Pure.
 *
 * A write that the API server lastingly refuses is left out: the leader has set its object aside, and goes on with the rest.
 *
 * @param nowMs wall clock
 */
export const nextAction = (
  observation: ClusterState | null,
  policy: ReplicaPolicy,
  nowMs: number,
  refused: ReplicaState['refused'] = [],
): NextAction | null => {
  if (observation === null) return null;
  const reasons = new Map(refused.map(({ object, reason }) => [object, reason]));
  const targets = observation.targets.map((target) => ({
    ...target,
    held: reasons.has(target.id),
    refused: reasons.get(target.id) ?? null,
  }));
  const paused = new Set(OWN_OBJECTS.filter((object) => reasons.has(object)));
  const observed = { ...observation, targets, paused };
  const step = policy.issuer.plan(observed, policy, nowMs);
  if (step !== null) return step.kind;
  if (settlesFor(policy.issuer.plan, observed, policy, nowMs) > 0) return 'settle-trust';

  const { lease, ca, replicas } = observation;
  if (lease.announcement === null || replicas === 'pending') return null;
  // The CAs of an external issuer are not visible, but the Lease records that both are kept.
  const overlaps = lease.servedSinceMs !== null || (typeof ca !== 'string' && ca.bundle.length > 1);
  const isAcknowledged = allAcknowledged(replicas, lease.announcement.hash, { identity: policy.identity, nowMs });
  if (overlaps) return isAcknowledged ? 'hold-overlap' : 'await-acknowledgements';
  const hasAcknowledgements = replicas !== 'forbidden' && replicas.some(({ servingHash }) => servingHash !== null);
  return hasAcknowledgements && !isAcknowledged ? 'await-acknowledgements' : null;
};
