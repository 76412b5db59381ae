import type { PodInfo } from './inspect-pod.ts';
import type { ClusterSnapshot } from './snapshot.ts';
/** A text as one word of a POSIX shell. */
export const shellQuote = (text: string): string =>
  /^[\w./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;

const alive = ({ pods, nowMs }: Pick<ClusterSnapshot, 'pods' | 'nowMs'>): readonly PodInfo[] =>
  pods.state === 'there' ? pods.value.filter(({ goneAtMs }) => goneAtMs === null || nowMs < goneAtMs) : [];

/** `deployment/webhook`; null for Pods that nothing keeps. */
const nameOf = (pods: readonly PodInfo[]): string | null => {
  const workload = pods.find((pod) => pod.workload !== null)?.workload ?? null;
  return workload === null ? null : `${workload.kind}/${shellQuote(workload.name)}`;
};

/** Commands on whatever keeps the replicas' Pods: a Deployment as a rule, sometimes nothing at all. */
export const workloadCommands = {
  alive,
  /** As kubectl names it; by selector when no Pod tells. */
  target: (config: ClusterSnapshot['config'], pods: readonly PodInfo[]): string =>
    nameOf(pods) ?? `"$(kubectl get deployment -n ${config.namespace} -l ${shellQuote(config.podSelector)} -o name)"`,
  /** New Pods, one after the other. */
  restart: (evidence: ClusterSnapshot): string => {
    const { config } = evidence;
    const pods = alive(evidence);
    const selector = shellQuote(config.podSelector);
    if (pods.length === 0) return `kubectl scale deployment -n ${config.namespace} -l ${selector} --replicas=2`;
    const name = nameOf(pods);
    if (name !== null) return `kubectl rollout restart ${name} -n ${config.namespace}`;
    return `kubectl delete pod -n ${config.namespace} ${pods.map((pod) => shellQuote(pod.name)).join(' ')}`;
  },
  setEnv: (evidence: ClusterSnapshot, variable: string, value: string): string => {
    const target = workloadCommands.target(evidence.config, alive(evidence));
    return `kubectl set env ${target} -n ${evidence.config.namespace} ${variable}=${shellQuote(value)}`;
  },
} as const;
