import * as z from 'zod';
import type { Replica } from '../../streams/model.ts';
import { replicaObject } from '../cluster/pods.ts';
import type { Labels } from './matching.ts';

const text = z.string().nullish();
const state = z.object({
  waiting: z.object({ reason: text }).nullish(),
  terminated: z.object({ reason: text, exitCode: z.number().nullish() }).nullish(),
});
const containerStatuses = z.array(z.object({ state: state.nullish(), lastState: state.nullish() })).nullish();
const container = z.object({
  name: z.string(),
  restartPolicy: text,
  env: z.array(z.object({ name: z.string(), value: text })).nullish(),
  ports: z.array(z.object({ containerPort: z.number(), name: text })).nullish(),
  volumeMounts: z
    .array(z.object({ name: z.string(), mountPath: z.string(), subPath: text, subPathExpr: text }))
    .nullish(),
});
const secretSource = z.object({ secret: z.object({ name: text, secretName: text }).nullish() });
/** The volumes of a Pod, as far as they bring Secrets. */
export const podVolumes = z
  .array(
    secretSource.extend({
      name: z.string(),
      projected: z.object({ sources: z.array(secretSource).nullish() }).nullish(),
    }),
  )
  .nullish();

/** The labels of a Pod, and what owns it. */
export const podMetadata = z.object({
  labels: z.record(z.string(), z.string()).nullish(),
  ownerReferences: z
    .array(z.object({ kind: z.string(), name: z.string(), controller: z.boolean().nullish() }))
    .nullish(),
});

/** The parts of a Pod that describe how its containers run and what they mount. */
const podSchema = z.object({
  metadata: podMetadata,
  spec: z.object({
    nodeName: text,
    serviceAccountName: text,
    containers: z.array(container),
    initContainers: z.array(container).nullish(),
    volumes: podVolumes,
  }),
  status: z
    .object({
      phase: text,
      conditions: z.array(z.object({ type: z.string(), status: z.string() })).nullish(),
      initContainerStatuses: containerStatuses,
      containerStatuses,
    })
    .nullish(),
});

/** A Secret, and where a container has it. */
interface MountedSecret {
  readonly secretName: string;
  readonly path: string;
}

/** One mount of the Secret in a container. */
interface SecretMount {
  readonly container: string;
  readonly path: string;
  readonly subPath: string | null;
}

export interface ContainerInfo {
  readonly name: string;
  /** Whether it is a native sidecar, which the Pod has under `initContainers`. */
  readonly isSidecar: boolean;
  /** Variables with a literal value; those with `valueFrom` are left out. */
  readonly env: ReadonlyMap<string, string>;
  readonly ports: readonly number[];
  readonly namedPorts: ReadonlyMap<string, number>;
}

/** The owner of a Pod: `deployment/webhook`. */
interface Workload {
  readonly kind: string;
  readonly name: string;
}

export interface PodInfo extends Replica {
  /** Null when no kubelet has reported it. */
  readonly ready: boolean | null;
  readonly labels: Labels;
  readonly nodeName: string | null;
  readonly serviceAccount: string | null;
  readonly workload: Workload | null;
  /** Those that run as long as the Pod does, native sidecars last. */
  readonly containers: readonly ContainerInfo[];
  /** The name of the volume that contains the Secret, null when none does. */
  readonly volume: string | null;
  readonly mounts: readonly SecretMount[];
  /** Every Secret that a container mounts. */
  readonly mountedSecrets: readonly MountedSecret[];
  /** The kubelet's reason why a container is not running; null when all are. */
  readonly problem: string | null;
  /** Whether a container has ended before, so that there is a log of it. */
  readonly hasExited: boolean;
}

type Parsed = z.infer<typeof podSchema>;
type ContainerStatus = NonNullable<z.infer<typeof containerStatuses>>[number];
type Volume = NonNullable<Parsed['spec']['volumes']>[number];

const nullIfEmpty = (value: string | null | undefined): string | null => (value == null || value === '' ? null : value);

/** The workload that owns a Pod. A ReplicaSet of a Deployment is named DEPLOYMENT-HASH, and the Pod carries the hash. */
export const workloadOf = ({ labels, ownerReferences }: Parsed['metadata']): Workload | null => {
  const owner = ownerReferences?.find(({ controller }) => controller === true) ?? ownerReferences?.[0];
  if (owner === undefined) return null;
  const hash = labels?.['pod-template-hash'];
  if (owner.kind !== 'ReplicaSet' || hash === undefined) return { kind: owner.kind.toLowerCase(), name: owner.name };
  return { kind: 'deployment', name: owner.name.replace(new RegExp(`-${hash}$`), '') };
};

interface ContainersOf<Container> {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[] | null | undefined;
}

/** The native sidecars of a Pod: init containers that run as long as the Pod does. */
export const sidecarsOf = <C extends { readonly restartPolicy?: string | null | undefined }>({
  initContainers,
}: ContainersOf<C>): readonly C[] => (initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');

interface StatusesOf<Status> {
  readonly initContainerStatuses?: readonly Status[] | null | undefined;
  readonly containerStatuses?: readonly Status[] | null | undefined;
}

/** The states of all containers. Init containers come first: until they are done, the others wait for them. */
export const statusesOf = <S>(status: StatusesOf<S> | null | undefined): readonly S[] => [
  ...(status?.initContainerStatuses ?? []),
  ...(status?.containerStatuses ?? []),
];

const problemOf = (statuses: readonly ContainerStatus[]): string | null => {
  const waiting = statuses.find((each) => each.state?.waiting != null);
  const reason = waiting?.state?.waiting?.reason ?? null;
  const code = waiting?.lastState?.terminated?.exitCode ?? null;
  return reason === null ? null : `${reason}${code === null ? '' : `, its last exit code was ${code}`}`;
};

const FINISHED = new Set(['Succeeded', 'Failed']);

/** Whether a Pod is on a node and has not finished: the leader waits for no other (see `MAY_BE_SERVING`). */
const isPlaced = ({ spec, status }: Parsed): boolean =>
  nullIfEmpty(spec.nodeName) !== null && !FINISHED.has(status?.phase ?? '');

const withoutSlash = (path: string): string => path.replace(/(?<=.)\/+$/, '');

/** The Secrets that a volume contains: one by itself, or some beside others in a projected volume. */
export const secretNamesOf = ({ secret, projected }: Volume): readonly string[] =>
  [{ secret }, ...(projected?.sources ?? [])].flatMap(
    (source) => source.secret?.secretName ?? source.secret?.name ?? [],
  );

/** Reads a Pod as a replica that mounts this Secret. The returned function throws a ZodError for anything but a Pod. */
export const inspectPod =
  (annotationPrefix: string, secretName: string) =>
  (object: unknown): PodInfo => {
    const parsed = podSchema.parse(object);
    const replica = replicaObject(annotationPrefix)(object);
    const { metadata, spec, status } = parsed;
    const statuses = statusesOf(status);
    const sidecars = sidecarsOf(spec);
    const containers = [...spec.containers, ...sidecars];
    const volumes = spec.volumes ?? [];
    const volume = volumes.find((each) => secretNamesOf(each).includes(secretName));
    const secretsOf = (volumeName: string): readonly string[] =>
      volumes.filter(({ name }) => name === volumeName).flatMap(secretNamesOf);
    const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status;
    return {
      ...replica,
      goneAtMs: isPlaced(parsed) ? replica.goneAtMs : 0,
      ready: ready === undefined ? null : ready === 'True',
      labels: metadata.labels ?? {},
      nodeName: spec.nodeName ?? null,
      serviceAccount: nullIfEmpty(spec.serviceAccountName),
      workload: workloadOf(metadata),
      containers: containers.map((each) => ({
        name: each.name,
        isSidecar: sidecars.includes(each),
        env: new Map((each.env ?? []).flatMap(({ name, value }) => (value == null ? [] : [[name, value] as const]))),
        ports: (each.ports ?? []).map(({ containerPort }) => containerPort),
        namedPorts: new Map(
          (each.ports ?? []).flatMap(({ name, containerPort }) =>
            name == null ? [] : [[name, containerPort] as const],
          ),
        ),
      })),
      volume: volume?.name ?? null,
      mounts: containers.flatMap(({ name, volumeMounts }) =>
        (volumeMounts ?? [])
          .filter((mount) => mount.name === volume?.name)
          .map((mount) => ({
            container: name,
            path: withoutSlash(mount.mountPath),
            subPath: nullIfEmpty(mount.subPath) ?? nullIfEmpty(mount.subPathExpr),
          })),
      ),
      mountedSecrets: containers.flatMap(({ volumeMounts }) =>
        (volumeMounts ?? []).flatMap((mount) =>
          secretsOf(mount.name).map((each) => ({ secretName: each, path: withoutSlash(mount.mountPath) })),
        ),
      ),
      problem: problemOf(statuses),
      hasExited: statuses.some(({ lastState }) => lastState?.terminated != null),
    };
  };

const WORKLOAD_KINDS = ['deployment', 'statefulset', 'daemonset'] as const;

type WorkloadKind = (typeof WORKLOAD_KINDS)[number];

/** What makes Pods, as kubectl names it. */
export interface WorkloadInfo {
  readonly kind: WorkloadKind;
  readonly name: string;
  /** Null for a DaemonSet. */
  readonly replicas: number | null;
  /** Of its Pods. */
  readonly labels: Labels;
  /** Whether its Pods mount the Secret. */
  readonly isOurs: boolean;
}

const secretVolume = z.object({ secret: z.object({ secretName: z.string().nullish() }).nullish() });
const workloadSchema = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    replicas: z.number().nullish(),
    template: z.object({
      metadata: z.object({ labels: z.record(z.string(), z.string()).nullish() }).nullish(),
      spec: z.object({ volumes: z.array(secretVolume).nullish() }),
    }),
  }),
});

/** Reads a workload as one that may run replicas with this Secret. The returned function throws a ZodError for anything else. */
export const inspectWorkload =
  (kind: WorkloadKind, secretName: string) =>
  (object: unknown): WorkloadInfo => {
    const { metadata, spec } = workloadSchema.parse(object);
    const { template } = spec;
    return {
      kind,
      name: metadata.name,
      replicas: spec.replicas ?? null,
      labels: template.metadata?.labels ?? {},
      isOurs: (template.spec.volumes ?? []).some((volume) => volume.secret?.secretName === secretName),
    };
  };

/** The collections of a namespace in which workloads are, by their kind. */
export const workloadCollections = (namespace: string): readonly (readonly [WorkloadKind, string])[] =>
  WORKLOAD_KINDS.map((kind) => [kind, `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/${kind}s`]);
