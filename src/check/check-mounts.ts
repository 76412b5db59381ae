import type { VolumeKind } from '../certificates/secret-volume.ts';
import type { ContainerInfo, PodInfo } from './inspect-pod.ts';
import { alivePods, isLeaving, nudgeKubelet, shellQuote, showPod, startReplicas, workloadOf } from './kubectl.ts';
import { type CheckResult, fail, ok, skipped, warn } from './result.ts';
import { announcedHash, type ClusterSnapshot, isPastDeliveryTime } from './snapshot.ts';

const VOLUME = 'serving-certs';

/**
 * The container whose CERT_DIR counts: the first one with SERVING_ADDRESS, whose server is in another container; else the one
 * that mounts the Secret, else the one that has the port, else the first one.
 */
const webhookContainer = ({ containers, mounts }: PodInfo, port: number): ContainerInfo | null => {
  const watching = containers.find(({ env }) => env.has('SERVING_ADDRESS'));
  const mounting = containers.find(({ name }) => mounts.some(({ container }) => container === name));
  const listening = containers.find(({ ports }) => ports.includes(port));
  return watching ?? mounting ?? listening ?? containers[0] ?? null;
};

/** The container whose CERT_DIR counts, with that, without a trailing slash, and whether the Pod says it itself. */
const webhookOf = ({ config, located }: ClusterSnapshot, pod: PodInfo) => {
  const container = webhookContainer(pod, config.webhookBind.port);
  const own = container?.env.get('CERT_DIR') ?? null;
  const certDir = (own ?? config.certDir).replace(/(?<=.)\/+$/, '');
  return { container, certDir, isSaidByPod: own !== null || located.byPod.has(pod.name) };
};

/**
 * Mounts the whole Secret at CERT_DIR, by a strategic merge patch of the Pod template that removes other mounts of it. A
 * Pod without a template is shown.
 */
const mountSecret = (snapshot: ClusterSnapshot, pod: PodInfo): string => {
  const { config } = snapshot;
  const { container, certDir } = webhookOf(snapshot, pod);
  const workload = workloadOf(pod);
  if (workload === null || container === null) return showPod(snapshot, pod);
  const misplaced = pod.mounts.filter((mount) => mount.container === container.name && mount.path !== certDir);
  const name = pod.volume ?? VOLUME;
  const secret = { secretName: config.secretName, optional: true };
  const spec = {
    ...(pod.volume === null ? { volumes: [{ name, secret }] } : {}),
    [container.isSidecar ? 'initContainers' : 'containers']: [
      {
        name: container.name,
        volumeMounts: [
          ...misplaced.map(({ path }) => ({ mountPath: path, $patch: 'delete' })),
          { mountPath: certDir, name, readOnly: true, subPath: null },
        ],
      },
    ],
  };
  const patch = shellQuote(JSON.stringify({ spec: { template: { spec } } }));
  return `kubectl patch ${workload} -n ${config.namespace} -p ${patch}`;
};

const checkPodMount = (snapshot: ClusterSnapshot, pod: PodInfo): CheckResult => {
  const { config } = snapshot;
  const { certDir, isSaidByPod } = webhookOf(snapshot, pod);
  const name = `replica ${pod.name} mounts the Secret`;
  const notMounted = (detail: string): CheckResult => fail(name, detail, mountSecret(snapshot, pod));

  const other = pod.mountedSecrets.find(({ path }) => path === certDir)?.secretName ?? config.secretName;
  // The mounted Secret is in use, so that SECRET_NAME is more likely to be wrong than the volume.
  if (other !== config.secretName)
    return fail(
      name,
      `it mounts Secret ${other} at CERT_DIR, and SECRET_NAME is ${config.secretName}`,
      showPod(snapshot, pod),
    );
  if (pod.volume === null) return notMounted(`it has no volume of Secret ${config.secretName}`);
  const subPath = pod.mounts.find((mount) => mount.subPath !== null);
  if (subPath !== undefined) return notMounted(`${subPath.path} is mounted with subPath, which kubelets never update`);
  const [mount] = pod.mounts;
  if (mount === undefined) return notMounted(`no container mounts its volume ${pod.volume}`);
  if (pod.mounts.some(({ path }) => path === certDir)) return ok(name, certDir);
  const detail = `it is mounted at ${mount.path}, but CERT_DIR is ${certDir}`;
  return isSaidByPod ? notMounted(detail) : fail(name, detail, showPod(snapshot, pod));
};

/** One Pod for each distinct set of mounts: the Pods of a workload are alike. */
const oneOfEach = (pods: readonly PodInfo[]): readonly PodInfo[] => [
  ...new Map(pods.map((pod) => [JSON.stringify([pod.workload ?? pod.name, pod.volume, pod.mounts]), pod])).values(),
];

/** Why a directory is not the mounted Secret, by the kind of its volume. */
const FLAWS: Readonly<Record<Exclude<VolumeKind, 'projected'>, (directory: string) => string>> = {
  absent: (directory) => `there is no ${directory}`,
  'sub-path': (directory) => `${directory} is mounted with subPath, which kubelets never update`,
  plain: (directory) => `${directory} is not a Secret volume`,
};

const checkLocalMount = (snapshot: ClusterSnapshot): CheckResult => {
  const { certDir, config, inReplica, pods } = snapshot;
  const name = 'local CERT_DIR is the mounted Secret';
  if (!inReplica && certDir.kind === 'absent')
    return skipped(name, `not running in a replica: there is no ${config.certDir}`);
  const self = pods.state === 'there' ? pods.value.find((pod) => pod.name === config.identity) : undefined;
  const [first] = alivePods(snapshot);
  const pod = self ?? first;
  const remount = pod === undefined ? startReplicas(snapshot) : mountSecret(snapshot, pod);
  if (certDir.kind !== 'projected') {
    const report = certDir.kind === 'plain' && !inReplica ? warn : fail;
    return report(name, FLAWS[certDir.kind](config.certDir), remount);
  }
  const announced = announcedHash(snapshot);
  const nudge = nudgeKubelet(snapshot, config.identity);
  if (certDir.problem !== null) return fail(name, certDir.problem, nudge);
  if (announced === null || certDir.hash === announced) return ok(name, certDir.hash?.slice(0, 12) ?? 'still empty');
  const detail = `mounted: ${certDir.hash?.slice(0, 12) ?? 'nothing'}, announced: ${announced.slice(0, 12)}`;
  return (isPastDeliveryTime(snapshot) ? fail : warn)(name, detail, nudge);
};

/** Checks that replicas mount the Secret as a whole volume: by their Pod specs, and by CERT_DIR on this machine. */
export const checkMounts = (snapshot: ClusterSnapshot): readonly CheckResult[] => [
  ...oneOfEach(alivePods(snapshot).filter((pod) => !isLeaving(pod))).map((pod) => checkPodMount(snapshot, pod)),
  checkLocalMount(snapshot),
];
