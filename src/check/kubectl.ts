import type { PodInfo } from './inspect-pod.ts';
import { announcedHash, type ClusterSnapshot } from './snapshot.ts';

/** Quotes a text as one word of a POSIX shell. */
export const shellQuote = (text: string): string =>
  /^[\w./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** The Pods of the installation that have not finished or been deleted. */
export const alivePods = ({ pods, nowMs }: Pick<ClusterSnapshot, 'pods' | 'nowMs'>): readonly PodInfo[] =>
  pods.state === 'there' ? pods.value.filter(({ goneAtMs }) => goneAtMs === null || nowMs < goneAtMs) : [];

/** Whether a Pod goes by itself, though it may still answer: nothing about it is worth mending. */
export const isLeaving = ({ goneAtMs }: PodInfo): boolean => goneAtMs !== null;

/** Kinds whose Pod template can be changed, so that the Pods are replaced one after the other. */
const TEMPLATED = new Set(['deployment', 'statefulset', 'daemonset']);

/** The workload that owns a Pod, as a kubectl argument: `deployment/webhook`; null where it has no template to change. */
export const workloadOf = ({ workload }: PodInfo): string | null =>
  workload !== null && TEMPLATED.has(workload.kind) ? `${workload.kind}/${shellQuote(workload.name)}` : null;

/** Shows a Pod as it was created, for what has to be changed where it comes from. */
export const showPod = ({ config }: Pick<ClusterSnapshot, 'config'>, { name }: Pick<PodInfo, 'name'>): string =>
  `kubectl get pod ${shellQuote(name)} -n ${config.namespace} -o yaml`;

/** Replaces the Pods of a workload one after the other, for a server that reads its certificate only at its start. */
export const restartWorkload = (snapshot: Pick<ClusterSnapshot, 'config'>, pod: PodInfo): string => {
  const workload = workloadOf(pod);
  return workload === null
    ? showPod(snapshot, pod)
    : `kubectl rollout restart ${workload} -n ${snapshot.config.namespace}`;
};

/** Makes a Pod's kubelet read the Secret at once, which any change of the Pod's annotations does. */
export const nudgeKubelet = ({ config, lease }: ClusterSnapshot, podName: string): string => {
  const hash = announcedHash({ lease }) ?? 'now';
  const annotation = `${config.annotationPrefix}/expected-hash`;
  const pod = `kubectl annotate --overwrite pod ${shellQuote(podName)} -n ${config.namespace}`;
  // Removed first: writing the same value again would be no change.
  return `${pod} ${annotation}- && ${pod} ${annotation}=${hash}`;
};

/** The last log lines of every replica, which say what they wait for. */
const showLogs = ({ config }: ClusterSnapshot): string =>
  `kubectl logs -n ${config.namespace} -l ${shellQuote(config.podSelector)} --all-containers --prefix --tail=50`;

/** For an installation without Pods: starts its workload if it is scaled to zero, and else shows why it has none. */
export const startReplicas = ({ config, workloads }: ClusterSnapshot): string => {
  const own = workloads.state === 'there' ? workloads.value.filter(({ isOurs }) => isOurs) : [];
  const stopped = own.find(({ replicas }) => replicas === 0);
  if (stopped !== undefined)
    return `kubectl scale ${stopped.kind}/${shellQuote(stopped.name)} -n ${config.namespace} --current-replicas=0 --replicas=2`;
  const [first] = own;
  return first === undefined
    ? `kubectl get deployments,statefulsets,daemonsets,pods -n ${config.namespace} --show-labels`
    : `kubectl describe ${first.kind}/${shellQuote(first.name)} -n ${config.namespace}`;
};

/** Where the replicas say what keeps them from their work. */
export const inspectReplicas = (snapshot: ClusterSnapshot): string =>
  alivePods(snapshot).length === 0 ? startReplicas(snapshot) : showLogs(snapshot);
