import type { PodInfo } from './inspect-pod.ts';
import { workloadCommands } from './kubectl.ts';
import { mountRemedy } from './remedies.ts';
import { type CheckResult, result } from './result.ts';
import { announcedHash, type ClusterSnapshot, isPastDeliveryTime } from './snapshot.ts';

const judgePod = (evidence: ClusterSnapshot, pod: PodInfo): CheckResult => {
  const { config } = evidence;
  const container = mountRemedy.webhookOf(pod, config.webhookBind.port);
  const certDir = (container?.env.get('CERT_DIR') ?? config.certDir).replace(/(?<=.)\/+$/, '');
  const name = `replica ${pod.name} mounts the Secret`;
  const wrong = (detail: string): CheckResult => result.fail(name, detail, mountRemedy.template(evidence, pod));

  if (pod.volume === null) return wrong(`it has no volume of Secret ${config.secretName}`);
  const subPath = pod.mounts.find((mount) => mount.subPath !== null);
  if (subPath !== undefined) return wrong(`${subPath.path} is mounted with subPath, which no kubelet ever updates`);
  const [mount] = pod.mounts;
  if (mount === undefined) return wrong(`no container mounts its volume ${pod.volume}`);
  if (pod.mounts.some(({ path }) => path === certDir)) return result.ok(name, certDir);
  return wrong(`it is at ${mount.path}, and CERT_DIR is ${certDir}`);
};

/** Pods of one workload are made alike; one of each tells. */
const oneOfEach = (pods: readonly PodInfo[]): readonly PodInfo[] => [
  ...new Map(pods.map((pod) => [JSON.stringify([pod.workload ?? pod.name, pod.volume, pod.mounts]), pod])).values(),
];

const judgeHere = (evidence: ClusterSnapshot): CheckResult => {
  const { certDir, config, inReplica, pods } = evidence;
  const name = 'CERT_DIR here is what the kubelet mounts';
  if (!inReplica && certDir.kind === 'absent') return result.skipped(name, `this is no replica: no ${config.certDir}`);
  const self = pods.state === 'there' ? pods.value.find((pod) => pod.name === config.identity) : undefined;
  const [any] = workloadCommands.alive(evidence);
  const pod = self ?? any;
  const remount = pod === undefined ? workloadCommands.restart(evidence) : mountRemedy.template(evidence, pod);
  switch (certDir.kind) {
    case 'absent':
      return result.fail(name, `there is no ${config.certDir}`, remount);
    case 'sub-path':
      return result.fail(name, `${config.certDir} is mounted with subPath, which no kubelet ever updates`, remount);
    case 'plain':
      return (inReplica ? result.fail : result.warn)(name, `${config.certDir} is no volume of a Secret`, remount);
    case 'projected':
  }
  const announced = announcedHash(evidence);
  const nudge = mountRemedy.nudge(evidence, config.identity);
  if (certDir.problem !== null) return result.fail(name, certDir.problem, nudge);
  if (announced === null || certDir.hash === announced)
    return result.ok(name, certDir.hash?.slice(0, 12) ?? 'empty yet');
  const detail = `mounted is ${certDir.hash?.slice(0, 12) ?? 'nothing'}, announced is ${announced.slice(0, 12)}`;
  return (isPastDeliveryTime(evidence) ? result.fail : result.warn)(name, detail, nudge);
};

/** How the Secret reaches the replicas: by their Pods' own words, and by what lies on this disk. */
export const checkMounts = (evidence: ClusterSnapshot): readonly CheckResult[] => [
  ...oneOfEach(workloadCommands.alive(evidence)).map((pod) => judgePod(evidence, pod)),
  judgeHere(evidence),
];
