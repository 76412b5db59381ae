import * as z from 'zod';
import { apiVersion, type KubeObject } from './kube-object.ts';
import type { ResourceType } from './resource-types.ts';

const words = z.record(z.string(), z.string());

const envelope = z.looseObject({
  apiVersion: z.string().optional(),
  kind: z.string().optional(),
  metadata: z
    .looseObject({
      name: z.string().default(''),
      namespace: z.string().optional(),
      uid: z.string().optional(),
      resourceVersion: z.string().optional(),
      labels: words.optional(),
      annotations: words.optional(),
    })
    .prefault({}),
});

const isEmpty = (value: unknown) => typeof value === 'object' && value !== null && Object.keys(value).length === 0;

/** Removes what Go's `omitempty` would not write: nulls everywhere, and empty maps and lists of the metadata. */
const pruned = (value: unknown, isMetadata = false): unknown => {
  if (Array.isArray(value)) return value.map((each) => pruned(each));
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value)
    .map(([key, each]) => [key, pruned(each, key === 'metadata')] as const)
    .filter(([, each]) => each !== null && each !== undefined && !(isMetadata && isEmpty(each)));
  return Object.fromEntries(kept);
};

/** Either an object of the requested kind, or the kind that the JSON names and the reason why it cannot be decoded. */
type Decoded = { readonly object: KubeObject } | { readonly kind: string; readonly why: string };

/** Decodes a body as an object of one kind and fills in defaults. An absent kind is taken to be the requested one. */
export const decodeObject = (type: ResourceType, json: unknown): Decoded => {
  const body = bodySchemas[type.resource] ?? z.unknown();
  const parsed = envelope
    .transform((object): unknown => object)
    .pipe(body)
    .safeParse(pruned(json));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = `${type.version}.${type.kind}.${issue?.path.join('.') ?? ''}`;
    return { kind: type.kind, why: `${where}: ${issue?.message ?? 'not an object'}` };
  }
  const { kind = type.kind, apiVersion: version = apiVersion(type), ...rest } = parsed.data as Partial<KubeObject>;
  if (kind !== type.kind || version !== apiVersion(type)) {
    return { kind, why: `converting (${version}.${kind}) to (${type.kind}): unknown conversion` };
  }
  return { object: pruned({ kind, apiVersion: version, ...rest }) as KubeObject };
};

/**
 * Go's RFC3339Micro takes exactly six digits: a client that writes milliseconds is refused. Kept in UTC.
 */
const microTime = z
  .string()
  .regex(
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(?:Z|[+-]\d\d:\d\d)$/,
    'cannot be parsed as "2006-01-02T15:04:05.000000Z07:00"',
  )
  .transform((text) => `${new Date(text).toISOString().slice(0, 19)}${text.slice(19, 26)}Z`);

/** An empty caBundle counts as absent. */
const caBundle = z.preprocess((value) => (value === '' ? undefined : value), z.base64().optional());

const serviceReference = z.looseObject({ namespace: z.string(), name: z.string(), port: z.int().default(443) });

const clientConfig = z.looseObject({ url: z.string().optional(), service: serviceReference.optional(), caBundle });

const webhook = z.looseObject({
  name: z.string(),
  clientConfig: clientConfig.prefault({}),
  rules: z.array(z.looseObject({ scope: z.string().default('*') })).optional(),
  failurePolicy: z.string().default('Fail'),
  matchPolicy: z.string().default('Equivalent'),
  namespaceSelector: z.looseObject({}).prefault({}),
  objectSelector: z.looseObject({}).prefault({}),
  timeoutSeconds: z.int().default(10),
});

const mutatingWebhook = webhook.extend({ reinvocationPolicy: z.string().default('Never') });

const conversion = z.looseObject({
  webhook: z.looseObject({ clientConfig: clientConfig.optional() }).optional(),
});

const base64Values = z.record(z.string(), z.base64());

const secretBody = z
  .looseObject({
    data: base64Values.optional(),
    stringData: z.record(z.string(), z.string()).optional(),
    type: z.string().default('Opaque'),
    immutable: z.boolean().optional(),
  })
  .transform(({ stringData, data, ...secret }) => {
    const folded = Object.entries(stringData ?? {}).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
    const content = { ...data, ...(Object.fromEntries(folded) as Record<string, string>) };
    return Object.keys(content).length === 0 ? secret : { ...secret, data: content };
  });

const leaseSpec = z.looseObject({
  holderIdentity: z.string().optional(),
  leaseDurationSeconds: z.int().optional(),
  leaseTransitions: z.int().optional(),
  acquireTime: microTime.optional(),
  renewTime: microTime.optional(),
});

/** Schema of each kind, with the defaults that kube-apiserver fills in. Kinds without one are not validated. */
const bodySchemas: Readonly<Record<string, z.ZodType>> = {
  leases: z.looseObject({ spec: leaseSpec.prefault({}) }),
  secrets: secretBody,
  validatingwebhookconfigurations: z.looseObject({ webhooks: z.array(webhook).optional() }),
  mutatingwebhookconfigurations: z.looseObject({ webhooks: z.array(mutatingWebhook).optional() }),
  customresourcedefinitions: z.looseObject({ spec: z.looseObject({ conversion: conversion.optional() }) }),
  apiservices: z.looseObject({
    spec: z.looseObject({
      caBundle,
      service: z.looseObject({ namespace: z.string(), name: z.string(), port: z.int().default(443) }).optional(),
    }),
  }),
};
