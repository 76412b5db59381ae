import * as z from 'zod';
import { podMetadata, podVolumes, workloadOf } from './inspect-pod.ts';
import type { Labels } from './matching.ts';

const text = z.string().nullish();
const podSchema = z.object({
  metadata: podMetadata.extend({ name: z.string() }),
  spec: z.object({
    containers: z.array(
      z.object({
        volumeMounts: z.array(z.object({ name: z.string(), subPath: text, subPathExpr: text })).nullish(),
      }),
    ),
    volumes: podVolumes,
  }),
  status: z
    .object({
      phase: text,
      startTime: text,
      conditions: z.array(z.object({ type: z.string(), status: z.string() })).nullish(),
      containerStatuses: z
        .array(
          z.object({
            state: z
              .object({
                waiting: z.object({ reason: text }).nullish(),
                running: z.object({ startedAt: text }).nullish(),
              })
              .nullish(),
          }),
        )
        .nullish(),
    })
    .nullish(),
});

/** A Secret that a Pod mounts. */
interface MountedSecret {
  readonly name: string;
  /** Whether every mount of it is a subPath, which the kubelet never updates. */
  readonly isSubPath: boolean;
}

/** A Pod behind a Service of a hook. */
export interface BackendPod {
  readonly name: string;
  readonly labels: Labels;
  readonly ready: boolean;
  readonly secrets: readonly MountedSecret[];
  /** The kind and name of its owner: `deployment/webhook`; null when it has none. */
  readonly workload: string | null;
  /** When the container that was started last was started, ms; null when unknown. */
  readonly startedMs: number | null;
  /** The kubelet's reason why a container is not running; null when all are. */
  readonly problem: string | null;
}

type Parsed = z.infer<typeof podSchema>;

const secretsOf = ({ containers, volumes }: Parsed['spec']): readonly MountedSecret[] =>
  (volumes ?? []).flatMap((volume) => {
    const mounts = containers
      .flatMap(({ volumeMounts }) => volumeMounts ?? [])
      .filter(({ name }) => name === volume.name);
    const isSubPath =
      mounts.length > 0 && mounts.every(({ subPath, subPathExpr }) => Boolean(subPath) || Boolean(subPathExpr));
    return [{ secret: volume.secret }, ...(volume.projected?.sources ?? [])].flatMap(({ secret }) => {
      const name = secret?.secretName ?? secret?.name;
      return name == null || mounts.length === 0 ? [] : [{ name, isSubPath }];
    });
  });

const timeOf = (value: string | null | undefined): number | null => {
  const ms = Date.parse(value ?? '');
  return Number.isNaN(ms) ? null : ms;
};

/** Reads a Pod behind a Service. @throws ZodError for anything but a Pod */
export const inspectBackendPod = (object: unknown): BackendPod => {
  const { metadata, spec, status } = podSchema.parse(object);
  const states = (status?.containerStatuses ?? []).flatMap(({ state }) => state ?? []);
  const owner = workloadOf(metadata);
  const started = states.flatMap(({ running }) => timeOf(running?.startedAt) ?? []);
  return {
    name: metadata.name,
    labels: metadata.labels ?? {},
    ready: status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True',
    secrets: secretsOf(spec),
    workload: owner === null ? null : `${owner.kind}/${owner.name}`,
    startedMs: started.length > 0 ? Math.max(...started) : timeOf(status?.startTime),
    problem: states.find(({ waiting }) => waiting != null)?.waiting?.reason ?? null,
  };
};
