import type { ContainerInfo, PodInfo } from './inspect-pod.ts';
import { shellQuote, showPod, workloadOf } from './kubectl.ts';
import { announcedHash, type ClusterSnapshot } from './snapshot.ts';

const VOLUME = 'serving-certs';

/** The container of a Pod that runs the webhook: the one that mounts the Secret, or has its port, or comes first. */
export const webhookContainer = ({ containers, mounts }: PodInfo, port: number | null): ContainerInfo | null => {
  const mounting = containers.find(({ name }) => mounts.some(({ container }) => container === name));
  const listening = containers.find(({ ports }) => port !== null && ports.includes(port));
  return mounting ?? listening ?? containers[0] ?? null;
};

/** CERT_DIR of a container, without a trailing slash; the configured one when the container does not set it. */
export const certDirOf = (container: ContainerInfo | null, { certDir }: ClusterSnapshot['config']): string =>
  (container?.env.get('CERT_DIR') ?? certDir).replace(/(?<=.)\/+$/, '');

/**
 * Mounts the whole Secret at CERT_DIR, by a strategic merge patch of the Pod template that removes other mounts of it. A
 * Pod without a template is shown.
 */
export const mountSecret = (snapshot: ClusterSnapshot, pod: PodInfo): string => {
  const { config } = snapshot;
  const container = webhookContainer(pod, config.webhookBind.port);
  const certDir = certDirOf(container, config);
  const misplaced = pod.mounts.filter(({ container: name, path }) => name === container?.name && path !== certDir);
  const name = pod.volume ?? VOLUME;
  const secret = { secretName: config.secretName, optional: true };
  const spec = {
    ...(pod.volume === null ? { volumes: [{ name, secret }] } : {}),
    containers: [
      {
        name: container?.name ?? '',
        volumeMounts: [
          ...misplaced.map(({ path }) => ({ mountPath: path, $patch: 'delete' })),
          { mountPath: certDir, name, readOnly: true, subPath: null },
        ],
      },
    ],
  };
  const patch = shellQuote(JSON.stringify({ spec: { template: { spec } } }));
  const workload = workloadOf(pod);
  if (workload === null) return showPod(snapshot, pod);
  return `kubectl patch ${workload} -n ${config.namespace} -p ${patch}`;
};

/** Makes a Pod's kubelet read the Secret at once, which any change of the Pod's annotations does. */
export const nudgeKubelet = ({ config, lease }: ClusterSnapshot, podName: string): string => {
  const hash = announcedHash({ lease }) ?? 'now';
  const annotation = `${config.annotationPrefix}/expected-hash`;
  const pod = `kubectl annotate --overwrite pod ${shellQuote(podName)} -n ${config.namespace}`;
  // Removed first: writing the same value again would be no change.
  return `${pod} ${annotation}- && ${pod} ${annotation}=${hash}`;
};
