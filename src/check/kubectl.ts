import type { PodLook } from './inspect-pod.ts';
import type { Evidence } from './snapshot.ts';
/** A text as one word of a POSIX shell. */
export const shellWord = (text: string): string =>
  /^[\w./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;

const alive = ({ pods, nowMs }: Pick<Evidence, 'pods' | 'nowMs'>): readonly PodLook[] =>
  pods.state === 'there' ? pods.value.filter(({ goneAtMs }) => goneAtMs === null || nowMs < goneAtMs) : [];

/** `deployment/webhook`; null for Pods that nothing keeps. */
const nameOf = (pods: readonly PodLook[]): string | null => {
  const workload = pods.find((pod) => pod.workload !== null)?.workload ?? null;
  return workload === null ? null : `${workload.kind}/${shellWord(workload.name)}`;
};

/** Commands on whatever keeps the replicas' Pods: a Deployment as a rule, sometimes nothing at all. */
export const workloadCommands = {
  alive,
  /** As kubectl names it; by selector when no Pod tells. */
  target: (config: Evidence['config'], pods: readonly PodLook[]): string =>
    nameOf(pods) ?? `"$(kubectl get deployment -n ${config.namespace} -l ${shellWord(config.podSelector)} -o name)"`,
  /** New Pods, one after the other. */
  restart: (evidence: Evidence): string => {
    const { config } = evidence;
    const pods = alive(evidence);
    const selector = shellWord(config.podSelector);
    if (pods.length === 0) return `kubectl scale deployment -n ${config.namespace} -l ${selector} --replicas=2`;
    const name = nameOf(pods);
    if (name !== null) return `kubectl rollout restart ${name} -n ${config.namespace}`;
    return `kubectl delete pod -n ${config.namespace} ${pods.map((pod) => shellWord(pod.name)).join(' ')}`;
  },
  setEnv: (evidence: Evidence, variable: string, value: string): string => {
    const target = workloadCommands.target(evidence.config, alive(evidence));
    return `kubectl set env ${target} -n ${evidence.config.namespace} ${variable}=${shellWord(value)}`;
  },
} as const;
