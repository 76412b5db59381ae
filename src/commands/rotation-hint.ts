import type { Observation } from '../../streams/observe-cluster.ts';
import { liveReplicas } from './live-replicas.ts';
import type { RotationStart } from './rotation-start.ts';

/** What to look at when a rotation does not go on. */
export const rotationHint = (
  start: RotationStart,
  { lease, replicas, targets }: Observation,
  { namespace, nowMs }: { readonly namespace: string; readonly nowMs: number },
): string => {
  const { holder, renewTime, announcement, rotate } = lease;
  if (holder === null)
    return `nobody leads: the Lease has no holder. Is a replica running, and LEADER_ELECTION not false? kubectl -n ${namespace} get pods`;
  const log = `kubectl -n ${namespace} logs ${holder}`;
  if (renewTime === start.renewTime)
    return `nobody leads: ${holder} holds the Lease and has not renewed it all this time. Is it running? ${log}`;
  if (rotate !== null) return `${holder} leads and has not done it yet; its log says what it waits for: ${log}`;
  const missing = targets.filter(({ state }) => state === 'absent').map(({ id }) => id);
  if (missing.length > 0) return `there is no ${missing.join(', ')}; ${log}`;
  const late = (typeof replicas === 'string' ? [] : liveReplicas(replicas, nowMs)).filter(
    ({ servingHash }) => servingHash !== announcement?.hash,
  );
  if (late.length === 0) return `look at the leader's log: ${log}`;
  const names = late.map(
    ({ name, servingHash }) => `${name} ${servingHash === null ? 'has said nothing' : `serves ${servingHash}`}`,
  );
  return `not acknowledged: ${names.join(', ')}. Is KUBELET_NUDGE false there, or pods/status not to be patched? webhook-certd check`;
};
