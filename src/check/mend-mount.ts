import { announcedHash } from './announced-hash.ts';
import type { Evidence } from './evidence.ts';
import type { ContainerLook, PodLook } from './look-at-pod.ts';
import { shellWord } from './shell-word.ts';
import { workloadCommands } from './workload-commands.ts';

const VOLUME = 'serving-certs';

/** Which of a Pod's containers is the webhook: the one that mounts the Secret, or has its port, or comes first. */
const webhookOf = ({ containers, mounts }: PodLook, port: number | null): ContainerLook | null => {
  const mounting = containers.find(({ name }) => mounts.some(({ container }) => container === name));
  const listening = containers.find(({ ports }) => port !== null && ports.includes(port));
  return mounting ?? listening ?? containers[0] ?? null;
};

/** How a Pod comes to mount the whole Secret at CERT_DIR. */
export const mendMount = {
  webhookOf,
  /** A strategic merge patch of the Pod template: mounts below CERT_DIR go, the directory comes. */
  template: (evidence: Evidence, pod: PodLook): string => {
    const { config } = evidence;
    const container = webhookOf(pod, config.webhookBind.port);
    const certDir = (container?.env.get('CERT_DIR') ?? config.certDir).replace(/(?<=.)\/+$/, '');
    const wrong = pod.mounts.filter(({ container: name, path }) => name === container?.name && path !== certDir);
    const name = pod.volume ?? VOLUME;
    const secret = { secretName: config.secretName, optional: true };
    const spec = {
      ...(pod.volume === null ? { volumes: [{ name, secret }] } : {}),
      containers: [
        {
          name: container?.name ?? '',
          volumeMounts: [
            ...wrong.map(({ path }) => ({ mountPath: path, $patch: 'delete' })),
            { mountPath: certDir, name, readOnly: true, subPath: null },
          ],
        },
      ],
    };
    const target = workloadCommands.target(config, [pod]);
    const patch = shellWord(JSON.stringify({ spec: { template: { spec } } }));
    return `kubectl patch ${target} -n ${config.namespace} -p ${patch}`;
  },
  /** Any change of a Pod's annotations makes its kubelet look at the Secret at once. */
  nudge: ({ config, lease }: Evidence, podName: string): string => {
    const hash = announcedHash({ lease }) ?? 'now';
    const annotation = `${config.annotationPrefix}/expected-hash`;
    const pod = `kubectl annotate --overwrite pod ${shellWord(podName)} -n ${config.namespace}`;
    // It acts on a change only: the same hash again would be none.
    return `${pod} ${annotation}- && ${pod} ${annotation}=${hash}`;
  },
} as const;
