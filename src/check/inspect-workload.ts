import * as z from 'zod';
import type { Labels } from './matching.ts';

const KINDS = ['deployment', 'statefulset', 'daemonset'] as const;

type Kind = (typeof KINDS)[number];

/** What makes Pods, as kubectl names it. */
export interface WorkloadInfo {
  readonly kind: Kind;
  readonly name: string;
  /** Null for a DaemonSet. */
  readonly replicas: number | null;
  /** Of its Pods. */
  readonly labels: Labels;
  /** Whether its Pods mount the Secret. */
  readonly isOurs: boolean;
}

const secret = z.object({ secret: z.object({ secretName: z.string().nullish() }).nullish() });
const schema = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    replicas: z.number().nullish(),
    template: z.object({
      metadata: z.object({ labels: z.record(z.string(), z.string()).nullish() }).nullish(),
      spec: z.object({ volumes: z.array(secret).nullish() }),
    }),
  }),
});

/** Reads a workload as one that may run replicas with this Secret. The returned function throws a ZodError for anything else. */
export const inspectWorkload =
  (kind: Kind, secretName: string) =>
  (object: unknown): WorkloadInfo => {
    const { metadata, spec } = schema.parse(object);
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
export const workloadCollections = (namespace: string): readonly (readonly [Kind, string])[] =>
  KINDS.map((kind) => [kind, `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/${kind}s`]);
