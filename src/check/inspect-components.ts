import * as z from 'zod';
import type { Config } from '../config/config.ts';
import type { KubeClient } from '../kube/client.ts';
import { get, type GetResult } from './get.ts';
import { selectorSchema } from './inspect-target.ts';
import type { Labels, LabelSelector } from './matching.ts';

const labels = z.record(z.string(), z.string()).nullish();
const metadata = z.object({ name: z.string(), labels });
const podSchema = z.object({ metadata });

const serviceSchema = z.object({
  metadata,
  spec: z.object({
    selector: labels,
    ports: z
      .array(
        z.object({
          port: z.number(),
          targetPort: z.union([z.number(), z.string()]).nullish(),
        }),
      )
      .nullish(),
  }),
});

export interface ServiceInfo {
  readonly name: string;
  readonly labels: Labels;
  /** Empty when something else than a selector keeps its endpoints. */
  readonly selector: Labels;
  /** The number or name of the port in a Pod that each of its ports leads to. */
  readonly targetPorts: readonly (number | string)[];
}

const inspectService = (object: unknown): ServiceInfo => {
  const { metadata: own, spec } = serviceSchema.parse(object);
  return {
    name: own.name,
    labels: own.labels ?? {},
    selector: spec.selector ?? {},
    targetPorts: (spec.ports ?? []).map(({ port, targetPort }) => targetPort ?? port),
  };
};

/** An object that applies to what a selector matches. */
export interface SelectingObject {
  /** As kubectl names it: `poddisruptionbudget`. */
  readonly type: string;
  readonly name: string;
  readonly labels: Labels;
  readonly selector: LabelSelector;
  /** What the selector is for. */
  readonly selects: 'Pods' | 'Services';
}

const selectingSchema = z.object({
  metadata,
  spec: z.object({ selector: selectorSchema, podSelector: selectorSchema }),
});

const inspectSelecting =
  (type: string, selects: SelectingObject['selects'], field: 'selector' | 'podSelector') =>
  (object: unknown): SelectingObject => {
    const { metadata: own, spec } = selectingSchema.parse(object);
    return { type, name: own.name, labels: own.labels ?? {}, selector: spec[field], selects };
  };

const policySchema = z.object({ metadata: z.object({ name: z.string() }), spec: z.unknown() });
const bindingSchema = z.object({ spec: z.object({ policyName: z.string() }) });

/** A ValidatingAdmissionPolicy on the annotations of replicas. */
export interface PolicyInfo {
  readonly name: string;
  /** The names of service accounts in its expressions, without their namespace. */
  readonly accounts: readonly string[];
  /** The annotation prefixes in its expressions. */
  readonly prefixes: readonly string[];
}

const ANNOTATION = /([\w.-]+)\/serving-hash/g;
const ACCOUNT = /system:serviceaccount:[^"]*?([a-z0-9][a-z0-9.-]*)\\?'/g;

/** Reads a policy; null when it is not about the annotations of this program. */
const inspectAdmissionPolicy = (object: unknown): PolicyInfo | null => {
  const { metadata: own, spec } = policySchema.parse(object);
  const text = JSON.stringify(spec ?? {});
  const found = (pattern: RegExp): readonly string[] => [
    ...new Set([...text.matchAll(pattern)].map(([, name = '']) => name)),
  ];
  const prefixes = found(ANNOTATION);
  return prefixes.length === 0 ? null : { name: own.name, accounts: found(ACCOUNT), prefixes };
};

/** What belongs to an installation beside its workload. Replicas have no permission to read it. */
export interface Components {
  /** Every Service of the namespace. */
  readonly services: GetResult<readonly ServiceInfo[]>;
  readonly selecting: readonly SelectingObject[];
  /** The labels of every Pod of the namespace; null when they cannot be read. */
  readonly podLabels: readonly Labels[] | null;
  readonly policies: readonly PolicyInfo[];
  /** The names of the policies that a binding applies; null when they cannot be read. */
  readonly bound: ReadonlySet<string> | null;
  /** The names of the service accounts of all namespaces that the policies name; null when they cannot be read. */
  readonly accounts: ReadonlySet<string> | null;
}

const listSchema = z.object({ items: z.array(z.unknown()).nullish() });

/** Reads the objects beside a workload that refer to it by names or labels. Rejects on bugs only. */
export const inspectComponents = async (client: KubeClient, config: Config): Promise<Components> => {
  const namespace = encodeURIComponent(config.namespace);
  const list = <T>(path: string, parse: (object: unknown) => T, query = {}): Promise<GetResult<readonly T[]>> =>
    get(client, path, (answer) => (listSchema.parse(answer).items ?? []).map(parse), query);
  const admission = '/apis/admissionregistration.k8s.io/v1';
  const [services, pods, budgets, networkPolicies, monitors, policies, bindings] = await Promise.all([
    list(`/api/v1/namespaces/${namespace}/services`, inspectService),
    list(`/api/v1/namespaces/${namespace}/pods`, (object) => podSchema.parse(object).metadata.labels ?? {}),
    list(
      `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets`,
      inspectSelecting('poddisruptionbudget', 'Pods', 'selector'),
    ),
    list(
      `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`,
      inspectSelecting('networkpolicy', 'Pods', 'podSelector'),
    ),
    list(
      `/apis/monitoring.coreos.com/v1/namespaces/${namespace}/servicemonitors`,
      inspectSelecting('servicemonitor', 'Services', 'selector'),
    ),
    list(`${admission}/validatingadmissionpolicies`, inspectAdmissionPolicy),
    list(`${admission}/validatingadmissionpolicybindings`, (object) => bindingSchema.parse(object).spec.policyName),
  ]);
  const valuesOf = <T>(answer: GetResult<readonly T[]>): readonly T[] => (answer.state === 'there' ? answer.value : []);
  const own = valuesOf(policies).filter((policy) => policy !== null);
  const readAccounts = async (): Promise<ReadonlySet<string> | null> => {
    const found = new Set<string>();
    for (const name of new Set(own.flatMap((policy) => policy.accounts))) {
      const accounts = await list('/api/v1/serviceaccounts', () => name, { fieldSelector: `metadata.name=${name}` });
      if (accounts.state !== 'there') return null;
      if (accounts.value.length > 0) found.add(name);
    }
    return found;
  };
  return {
    services,
    selecting: [budgets, networkPolicies, monitors].flatMap((answer) => valuesOf<SelectingObject>(answer)),
    podLabels: pods.state === 'there' ? pods.value : null,
    policies: own,
    bound: bindings.state === 'there' ? new Set(bindings.value) : null,
    accounts: await readAccounts(),
  };
};

/** The ports that a rule allows; null allows all. A named port is kept as its name. */
type AllowedPorts = readonly { readonly from: number | string; readonly to: number }[] | null;

export interface NetworkPolicy {
  readonly name: string;
  readonly podSelector: LabelSelector;
  /** The ports of each ingress rule; null when the policy does not restrict ingress. */
  readonly ingress: readonly AllowedPorts[] | null;
  readonly egress: readonly AllowedPorts[] | null;
}

const networkRules = z
  .array(
    z.object({
      ports: z
        .array(z.object({ port: z.union([z.number(), z.string()]).nullish(), endPort: z.number().nullish() }))
        .nullish(),
    }),
  )
  .nullish();
const networkPolicySchema = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    podSelector: selectorSchema,
    policyTypes: z.array(z.string()).nullish(),
    ingress: networkRules,
    egress: networkRules,
  }),
});

const allowedPorts = (given: z.infer<typeof networkRules>): readonly AllowedPorts[] =>
  (given ?? []).map(({ ports }) => {
    if (ports == null || ports.length === 0 || ports.some(({ port }) => port == null)) return null;
    return ports.map(({ port, endPort }) => ({ from: port ?? 0, to: endPort ?? Number(port) }));
  });

/** @throws ZodError when it is no NetworkPolicy. */
export const inspectNetworkPolicy = (object: unknown): NetworkPolicy => {
  const { metadata, spec } = networkPolicySchema.parse(object);
  const types = spec.policyTypes ?? ['Ingress', ...(spec.egress == null ? [] : ['Egress'])];
  return {
    name: metadata.name,
    podSelector: spec.podSelector,
    ingress: types.includes('Ingress') ? allowedPorts(spec.ingress) : null,
    egress: types.includes('Egress') ? allowedPorts(spec.egress) : null,
  };
};
