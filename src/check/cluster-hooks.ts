import * as z from 'zod';
import { targetPath } from '../cluster/targets.ts';
import type { TargetType } from '../config/types.ts';
import { type ManagedFields, managedFieldsSchema } from '../kube/managed-fields.ts';
import { hostOf } from '../util/ip.ts';
import { type AdmissionRule, ruleSchema, selectorSchema } from './inspect-target.ts';
import type { Labels, LabelSelector } from './matching.ts';

export type HookKind = 'validating' | 'mutating' | 'conversion' | 'apiservice';

/** A Service as a hook refers to it. */
export interface ServiceReference {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}

/** Which requests an admission webhook is called for. */
export interface Matching {
  readonly rules: readonly AdmissionRule[];
  readonly namespaceSelector: LabelSelector;
  readonly objectSelector: LabelSelector;
  /** Whether it has CEL conditions, which are not evaluated here. */
  readonly isConditional: boolean;
}

/** One server that the API server calls: an admission webhook, a CRD conversion webhook or an aggregated API. */
export interface Hook {
  /** `validating/CONFIGURATION/NAME`, `conversion/CRD` or `apiservice/NAME`. */
  readonly id: string;
  readonly kind: HookKind;
  readonly object: { readonly type: TargetType; readonly name: string };
  /** JSON pointer of its caBundle in the object. */
  readonly pointer: string;
  readonly server:
    | { readonly to: 'service'; readonly service: ServiceReference }
    | { readonly to: 'url'; readonly url: string }
    | { readonly to: 'nothing' };
  /** The PEM in its caBundle, null when there is none. */
  readonly caBundle: Buffer | null;
  /** APIServices only. */
  readonly skipsVerification: boolean;
  /** Whether requests fail when it cannot be called; not so with failurePolicy Ignore. */
  readonly blocks: boolean;
  /** Null for conversions and aggregated APIs. */
  readonly matching: Matching | null;
  /** The field managers that are recorded as writers of its caBundle, the last one first. */
  readonly writers: readonly string[];
  readonly annotations: Labels;
  readonly labels: Labels;
  /** Its caBundle as the last `kubectl apply` wrote it; null when it wrote none. */
  readonly appliedCaBundle: Buffer | null;
}

const words = z.record(z.string(), z.string()).nullish();
const service = z
  .object({ namespace: z.string(), name: z.string(), port: z.number().nullish() })
  .transform((given): ServiceReference => ({ ...given, port: given.port ?? 443 }))
  .nullish();
const clientConfig = z.object({ service, url: z.string().nullish(), caBundle: z.string().nullish() }).nullish();
const metadata = z.object({
  name: z.string(),
  labels: words,
  annotations: words,
  managedFields: managedFieldsSchema,
});
const webhook = z.object({
  name: z.string(),
  clientConfig,
  failurePolicy: z.string().nullish(),
  rules: z.array(ruleSchema).nullish(),
  namespaceSelector: selectorSchema,
  objectSelector: selectorSchema,
  matchConditions: z.array(z.unknown()).nullish(),
});
const configurationSchema = z.object({ metadata, webhooks: z.array(webhook).nullish() });
const crdSchema = z.object({
  metadata,
  spec: z.object({
    conversion: z.object({ strategy: z.string().nullish(), webhook: z.object({ clientConfig }).nullish() }).nullish(),
  }),
});
const apiServiceSchema = z.object({
  metadata,
  spec: z.object({
    service,
    caBundle: z.string().nullish(),
    insecureSkipTLSVerify: z.boolean().nullish(),
  }),
});

type Metadata = z.infer<typeof metadata>;
type ClientConfig = NonNullable<z.infer<typeof clientConfig>>;

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

const bytesOf = (base64: string | null | undefined): Buffer | null =>
  base64 == null || base64 === '' ? null : Buffer.from(base64, 'base64');

const childAt = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined;

/** The managers that own one field, the last writer first. */
const writersOf = (managedFields: ManagedFields, path: readonly string[]): readonly string[] => [
  ...new Set(
    (managedFields ?? [])
      .filter(({ fieldsV1 }) => path.reduce(childAt, fieldsV1) !== undefined)
      .sort((left, right) => (right.time ?? '').localeCompare(left.time ?? ''))
      .flatMap(({ manager }) => manager ?? []),
  ),
];

/** What the last `kubectl apply` put into a field; kubectl keeps it in an annotation. */
const appliedAt = (annotations: Labels, path: readonly string[]): Buffer | null => {
  try {
    const value = path.reduce<unknown>(childAt, JSON.parse(annotations[LAST_APPLIED] ?? 'null'));
    return typeof value === 'string' ? bytesOf(value) : null;
  } catch {
    return null;
  }
};

/** What a hook gets from the object that it is in. */
const shared = (
  type: TargetType,
  { name, labels, annotations, managedFields }: Metadata,
  /** The place of the caBundle: in the object, and as managedFields spells it. */
  place: readonly string[],
  owned: readonly string[],
) => ({
  object: { type, name },
  pointer: `/${place.join('/')}`,
  labels: labels ?? {},
  annotations: annotations ?? {},
  writers: writersOf(managedFields, owned),
  appliedCaBundle: appliedAt(annotations ?? {}, place),
});

const serverOf = ({ service: to, url }: Omit<ClientConfig, 'caBundle'>): Hook['server'] => {
  if (to != null) return { to: 'service', service: to };
  return url == null ? { to: 'nothing' } : { to: 'url', url };
};

const CLIENT_CONFIG = ['f:clientConfig', 'f:caBundle'] as const;

const admissionHooks =
  (type: TargetType, kind: 'validating' | 'mutating') =>
  (object: unknown): readonly Hook[] => {
    const { metadata: meta, webhooks } = configurationSchema.parse(object);
    return (webhooks ?? []).map((each, at): Hook => ({
      ...shared(
        type,
        meta,
        ['webhooks', String(at), 'clientConfig', 'caBundle'],
        ['f:webhooks', `k:${JSON.stringify({ name: each.name })}`, ...CLIENT_CONFIG],
      ),
      id: `${kind}/${meta.name}/${each.name}`,
      kind,
      server: serverOf(each.clientConfig ?? {}),
      caBundle: bytesOf(each.clientConfig?.caBundle),
      skipsVerification: false,
      blocks: each.failurePolicy !== 'Ignore',
      matching: {
        rules: each.rules ?? [],
        namespaceSelector: each.namespaceSelector,
        objectSelector: each.objectSelector,
        isConditional: (each.matchConditions ?? []).length > 0,
      },
    }));
  };

const conversionHooks = (object: unknown): readonly Hook[] => {
  const { metadata: meta, spec } = crdSchema.parse(object);
  const client = spec.conversion?.webhook?.clientConfig;
  if (spec.conversion?.strategy !== 'Webhook' || client == null) return [];
  const path = ['spec', 'conversion', 'webhook', 'clientConfig', 'caBundle'];
  return [
    {
      ...shared(
        'customresourcedefinition',
        meta,
        path,
        path.map((key) => `f:${key}`),
      ),
      id: `conversion/${meta.name}`,
      kind: 'conversion',
      server: serverOf(client),
      caBundle: bytesOf(client.caBundle),
      skipsVerification: false,
      blocks: true,
      matching: null,
    },
  ];
};

/** An APIService without a Service is one of the API server's own. */
const aggregatedHooks = (object: unknown): readonly Hook[] => {
  const { metadata: meta, spec } = apiServiceSchema.parse(object);
  if (spec.service == null) return [];
  return [
    {
      ...shared('apiservice', meta, ['spec', 'caBundle'], ['f:spec', 'f:caBundle']),
      id: `apiservice/${meta.name}`,
      kind: 'apiservice',
      server: { to: 'service', service: spec.service },
      caBundle: bytesOf(spec.caBundle),
      skipsVerification: spec.insecureSkipTLSVerify === true,
      blocks: true,
      matching: null,
    },
  ];
};

/** The lists that name every hook of a cluster, with the hooks of each of their items. */
export const HOOK_LISTS: readonly {
  readonly path: string;
  /** The functions throw a ZodError for anything but an object of the list. */
  readonly hooksOf: (object: unknown) => readonly Hook[];
}[] = [
  {
    path: targetPath('validatingwebhookconfiguration'),
    hooksOf: admissionHooks('validatingwebhookconfiguration', 'validating'),
  },
  {
    path: targetPath('mutatingwebhookconfiguration'),
    hooksOf: admissionHooks('mutatingwebhookconfiguration', 'mutating'),
  },
  { path: targetPath('customresourcedefinition'), hooksOf: conversionHooks },
  { path: targetPath('apiservice'), hooksOf: aggregatedHooks },
];

/** The namespace of a hook's Service; null for a URL. */
export const namespaceOf = ({ server }: Hook): string | null =>
  server.to === 'service' ? server.service.namespace : null;

/** The name that the API server expects in the certificate. */
export const serverName = ({ server }: Hook): string => {
  if (server.to === 'service') return `${server.service.name}.${server.service.namespace}.svc`;
  return server.to === 'url' && URL.canParse(server.url) ? hostOf(new URL(server.url)) : '';
};

/** The server in words: `NAMESPACE/SERVICE:PORT` or the URL. */
export const serverText = ({ server }: Hook): string => {
  if (server.to === 'service') {
    const { namespace, name, port } = server.service;
    return `${namespace}/${name}${port === 443 ? '' : `:${port}`}`;
  }
  return server.to === 'url' ? server.url : '(no server)';
};
