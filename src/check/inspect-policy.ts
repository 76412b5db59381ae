import * as z from 'zod';
import type { LabelSelector } from './matching.ts';

/** The ports that a rule allows; null allows all. A named port is kept as its name. */
type Ports = readonly { readonly from: number | string; readonly to: number }[] | null;

export interface NetworkPolicy {
  readonly name: string;
  readonly podSelector: LabelSelector;
  /** The ports of each ingress rule; null when the policy does not restrict ingress. */
  readonly ingress: readonly Ports[] | null;
  readonly egress: readonly Ports[] | null;
}

const rules = z
  .array(
    z.object({
      ports: z
        .array(z.object({ port: z.union([z.number(), z.string()]).nullish(), endPort: z.number().nullish() }))
        .nullish(),
    }),
  )
  .nullish();
const texts = z.array(z.string()).nullish();
const schema = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    podSelector: z.object({
      matchLabels: z.record(z.string(), z.string()).nullish(),
      matchExpressions: z.array(z.object({ key: z.string(), operator: z.string(), values: texts })).nullish(),
    }),
    policyTypes: texts,
    ingress: rules,
    egress: rules,
  }),
});

const portsOf = (given: z.infer<typeof rules>): readonly Ports[] =>
  (given ?? []).map(({ ports }) => {
    if (ports == null || ports.length === 0 || ports.some(({ port }) => port == null)) return null;
    return ports.map(({ port, endPort }) => ({ from: port ?? 0, to: endPort ?? Number(port) }));
  });

/** @throws ZodError when it is no NetworkPolicy. */
export const inspectPolicy = (object: unknown): NetworkPolicy => {
  const { metadata, spec } = schema.parse(object);
  const types = spec.policyTypes ?? ['Ingress', ...(spec.egress == null ? [] : ['Egress'])];
  return {
    name: metadata.name,
    podSelector: {
      matchLabels: spec.podSelector.matchLabels ?? {},
      matchExpressions: (spec.podSelector.matchExpressions ?? []).map((each) => ({
        ...each,
        values: each.values ?? [],
      })),
    },
    ingress: types.includes('Ingress') ? portsOf(spec.ingress) : null,
    egress: types.includes('Egress') ? portsOf(spec.egress) : null,
  };
};
