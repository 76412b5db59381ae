import type { PodInfo } from './inspect-pod.ts';
import type { ClusterSnapshot } from './snapshot.ts';

/** Quotes a text as one word of a POSIX shell. */
export const shellQuote = (text: string): string =>
  /^[\w./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** The Pods of the installation that have not finished or been deleted. */
export const alivePods = ({ pods, nowMs }: Pick<ClusterSnapshot, 'pods' | 'nowMs'>): readonly PodInfo[] =>
  pods.state === 'there' ? pods.value.filter(({ goneAtMs }) => goneAtMs === null || nowMs < goneAtMs) : [];

/** `deployment/webhook`; null for Pods without an owner. */
const ownerOf = (pods: readonly PodInfo[]): string | null => {
  const workload = pods.find((pod) => pod.workload !== null)?.workload ?? null;
  return workload === null ? null : `${workload.kind}/${shellQuote(workload.name)}`;
};

/** The workload that owns the Pods, as a kubectl argument; selected by label when no Pod names its owner. */
export const workloadName = (config: ClusterSnapshot['config'], pods: readonly PodInfo[]): string =>
  ownerOf(pods) ?? `"$(kubectl get deployment -n ${config.namespace} -l ${shellQuote(config.podSelector)} -o name)"`;

/** The command that replaces all Pods one after the other, or starts some where there are none. */
export const restartWorkload = (snapshot: ClusterSnapshot): string => {
  const { config } = snapshot;
  const pods = alivePods(snapshot);
  const selector = shellQuote(config.podSelector);
  if (pods.length === 0) return `kubectl scale deployment -n ${config.namespace} -l ${selector} --replicas=2`;
  const owner = ownerOf(pods);
  if (owner !== null) return `kubectl rollout restart ${owner} -n ${config.namespace}`;
  return `kubectl delete pod -n ${config.namespace} ${pods.map((pod) => shellQuote(pod.name)).join(' ')}`;
};

/** The command that sets one environment variable of the workload. */
export const setEnvironment = (snapshot: ClusterSnapshot, variable: string, value: string): string => {
  const workload = workloadName(snapshot.config, alivePods(snapshot));
  return `kubectl set env ${workload} -n ${snapshot.config.namespace} ${variable}=${shellQuote(value)}`;
};
