import type { PodLook } from './inspect-pod.ts';
import { shellWord, workloadCommands } from './kubectl.ts';
import { mendAccess, mendMount } from './remedies.ts';
import { unseen, type Verdict, verdict } from './result.ts';
import { announcedHash, type Evidence, isLasting } from './snapshot.ts';

const logs = ({ config }: Evidence, { name }: PodLook): string =>
  `kubectl logs -n ${config.namespace} ${shellWord(name)} --all-containers --previous`;

const mendSilence = (evidence: Evidence, pod: PodLook): string => {
  for (const access of evidence.access) {
    const denials = access.denials.filter(({ permission }) => permission.resource === 'pods/status');
    if (denials.length > 0) return mendAccess(access, denials);
  }
  return mendMount.nudge(evidence, pod.name);
};

const judgeReplica = (evidence: Evidence, pod: PodLook, announced: string): Verdict => {
  const name = `replica ${pod.name} serves the announced certificate`;
  const { config } = evidence;
  if (pod.trouble !== null) return verdict.fail(name, `it does not run: ${pod.trouble}`, logs(evidence, pod));
  if (pod.servingHash === announced) {
    return pod.ready === false
      ? verdict.warn(
          name,
          'it does, and yet is not ready',
          `kubectl get --raw /api/v1/namespaces/${config.namespace}/pods/${pod.name}:${config.probeBind.port}/proxy/readyz`,
        )
      : verdict.ok(name, announced.slice(0, 12));
  }
  if (pod.servingHash === null) {
    if (!config.kubeletNudge) return verdict.skipped(name, 'KUBELET_NUDGE=false: replicas do not say what they serve');
    return pod.ready === true
      ? verdict.warn(name, 'it is ready but does not say what it serves', mendSilence(evidence, pod))
      : verdict.fail(name, 'it has not said that it serves anything', mendSilence(evidence, pod));
  }
  const serves = `it serves ${pod.servingHash.slice(0, 12)}, announced is ${announced.slice(0, 12)}`;
  return isLasting(evidence)
    ? verdict.fail(name, `${serves}, and its kubelet has had time enough`, mendMount.nudge(evidence, pod.name))
    : verdict.warn(name, `${serves} since a moment ago`, mendMount.nudge(evidence, pod.name));
};

/** Who is there, and who serves what. */
export const judgeReplicas = (evidence: Evidence): readonly Verdict[] => {
  const name = 'replicas exist';
  const { pods, config } = evidence;
  if (pods.state !== 'there') return [unseen(name, pods, evidence.paths.pods)];
  const alive = workloadCommands.alive(evidence);
  if (alive.length === 0) {
    const detail = `no Pod of ${config.namespace} matches ${config.podSelector}`;
    return [verdict.fail(name, detail, workloadCommands.restart(evidence))];
  }
  const announced = announcedHash(evidence);
  return [
    verdict.ok(name, alive.map((pod) => pod.name).join(', ')),
    ...(announced === null
      ? [verdict.skipped('replicas serve the announced certificate', 'no certificate is announced')]
      : alive.map((pod) => judgeReplica(evidence, pod, announced))),
  ];
};
