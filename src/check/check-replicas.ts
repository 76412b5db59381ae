import type { PodInfo } from './inspect-pod.ts';
import { shellQuote, workloadCommands } from './kubectl.ts';
import { grantAccess, mountRemedy } from './remedies.ts';
import { type CheckResult, result, unreadable } from './result.ts';
import { announcedHash, type ClusterSnapshot, isPastDeliveryTime } from './snapshot.ts';

const logs = ({ config }: ClusterSnapshot, { name }: PodInfo): string =>
  `kubectl logs -n ${config.namespace} ${shellQuote(name)} --all-containers --previous`;

const mendSilence = (evidence: ClusterSnapshot, pod: PodInfo): string => {
  for (const access of evidence.access) {
    const denials = access.denials.filter(({ permission }) => permission.resource === 'pods/status');
    if (denials.length > 0) return grantAccess(access, denials);
  }
  return mountRemedy.nudge(evidence, pod.name);
};

const judgeReplica = (evidence: ClusterSnapshot, pod: PodInfo, announced: string): CheckResult => {
  const name = `replica ${pod.name} serves the announced certificate`;
  const { config } = evidence;
  if (pod.trouble !== null) return result.fail(name, `it does not run: ${pod.trouble}`, logs(evidence, pod));
  if (pod.servingHash === announced) {
    return pod.ready === false
      ? result.warn(
          name,
          'it does, and yet is not ready',
          `kubectl get --raw /api/v1/namespaces/${config.namespace}/pods/${pod.name}:${config.probeBind.port}/proxy/readyz`,
        )
      : result.ok(name, announced.slice(0, 12));
  }
  if (pod.servingHash === null) {
    if (!config.kubeletNudge) return result.skipped(name, 'KUBELET_NUDGE=false: replicas do not say what they serve');
    return pod.ready === true
      ? result.warn(name, 'it is ready but does not say what it serves', mendSilence(evidence, pod))
      : result.fail(name, 'it has not said that it serves anything', mendSilence(evidence, pod));
  }
  const serves = `it serves ${pod.servingHash.slice(0, 12)}, announced is ${announced.slice(0, 12)}`;
  return isPastDeliveryTime(evidence)
    ? result.fail(name, `${serves}, and its kubelet has had time enough`, mountRemedy.nudge(evidence, pod.name))
    : result.warn(name, `${serves} since a moment ago`, mountRemedy.nudge(evidence, pod.name));
};

/** Who is there, and who serves what. */
export const checkReplicas = (evidence: ClusterSnapshot): readonly CheckResult[] => {
  const name = 'replicas exist';
  const { pods, config } = evidence;
  if (pods.state !== 'there') return [unreadable(name, pods, evidence.paths.pods)];
  const alive = workloadCommands.alive(evidence);
  if (alive.length === 0) {
    const detail = `no Pod of ${config.namespace} matches ${config.podSelector}`;
    return [result.fail(name, detail, workloadCommands.restart(evidence))];
  }
  const announced = announcedHash(evidence);
  return [
    result.ok(name, alive.map((pod) => pod.name).join(', ')),
    ...(announced === null
      ? [result.skipped('replicas serve the announced certificate', 'no certificate is announced')]
      : alive.map((pod) => judgeReplica(evidence, pod, announced))),
  ];
};
