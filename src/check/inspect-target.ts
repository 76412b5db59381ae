import * as z from 'zod';
import { type CaBundleField, targetObject, type TargetType } from '../cluster/targets.ts';
import { FIELD_MANAGER, managedFieldsSchema } from '../kube/managed-fields.ts';
import type { LabelSelector } from './matching.ts';

export interface AdmissionRule {
  readonly operations: readonly string[];
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly resources: readonly string[];
  readonly scope: string;
}

const texts = z.array(z.string()).nullish();
/** A label selector; one that is absent matches everything. */
export const selectorSchema = z
  .object({
    matchLabels: z.record(z.string(), z.string()).nullish(),
    matchExpressions: z.array(z.object({ key: z.string(), operator: z.string(), values: texts })).nullish(),
  })
  .nullish()
  .transform((given): LabelSelector => ({
    matchLabels: given?.matchLabels ?? {},
    matchExpressions: (given?.matchExpressions ?? []).map((each) => ({ ...each, values: each.values ?? [] })),
  }));
const service = z.object({ name: z.string(), namespace: z.string() }).nullish();
const client = z.object({ service, url: z.string().nullish() }).nullish();
export const ruleSchema = z
  .object({ operations: texts, apiGroups: texts, apiVersions: texts, resources: texts, scope: z.string().nullish() })
  .transform((given): AdmissionRule => ({
    operations: given.operations ?? [],
    apiGroups: given.apiGroups ?? [],
    apiVersions: given.apiVersions ?? [],
    resources: given.resources ?? [],
    scope: given.scope ?? '*',
  }));
const webhook = z.object({
  name: z.string(),
  failurePolicy: z.string().nullish(),
  rules: z.array(ruleSchema).nullish(),
  namespaceSelector: selectorSchema,
  objectSelector: selectorSchema,
  matchConditions: z.array(z.unknown()).nullish(),
  clientConfig: client,
});
/** The parts of an object with a caBundle that say which Service it calls for which requests. */
const targetSchema = z.object({
  metadata: z.object({ managedFields: managedFieldsSchema }),
  webhooks: z.array(webhook).nullish(),
  spec: z
    .object({
      service,
      insecureSkipTLSVerify: z.boolean().nullish(),
      conversion: z.object({ webhook: z.object({ clientConfig: client }).nullish() }).nullish(),
    })
    .nullish(),
});

/** The parts of a webhook that decide which requests it is called for. */
export interface WebhookInfo {
  readonly name: string;
  readonly blocks: boolean;
  readonly rules: readonly AdmissionRule[];
  readonly namespaceSelector: LabelSelector;
  readonly objectSelector: LabelSelector;
  /** Whether it has CEL conditions, which are not evaluated here. */
  readonly isConditional: boolean;
}

/** Another field manager that owns a caBundle field. */
export interface OtherManager {
  readonly manager: string;
  /** JSON pointer of its name in managedFields. */
  readonly managerPointer: string;
  /** JSON pointers of its ownership of caBundle fields. */
  readonly ownerships: readonly string[];
}

/** One client configuration: a caBundle, and the server that it is for. */
export interface TargetCall {
  readonly field: CaBundleField;
  /** Null when the server is given by URL. */
  readonly service: { readonly name: string; readonly namespace: string } | null;
  readonly url: string | null;
  /** `svc.ns.svc` or the URL. */
  readonly server: string;
}

export interface TargetInfo {
  readonly calls: readonly TargetCall[];
  /** An APIService that skips verification, which excludes a caBundle. */
  readonly skipsVerification: boolean;
  readonly webhooks: readonly WebhookInfo[];
  readonly otherManagers: readonly OtherManager[];
}

const pointerSegment = (key: string): string => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;

const caBundles = (fields: unknown, at: string): readonly string[] =>
  typeof fields !== 'object' || fields === null
    ? []
    : Object.entries(fields).flatMap(([key, below]) =>
        key === 'f:caBundle' ? [at + pointerSegment(key)] : caBundles(below, at + pointerSegment(key)),
      );

/** Reads an object with a caBundle. The returned function throws a ZodError for anything else. */
export const inspectTarget =
  (type: TargetType) =>
  (object: unknown): TargetInfo => {
    const { metadata, webhooks, spec } = targetSchema.parse(object);
    const ofWebhooks = (webhooks ?? []).map((each, at) => [`/webhooks/${at}/clientConfig/caBundle`, each.clientConfig]);
    const clients = new Map<unknown, z.infer<typeof client>>([
      ...(ofWebhooks as [string, z.infer<typeof client>][]),
      ['/spec/conversion/webhook/clientConfig/caBundle', spec?.conversion?.webhook?.clientConfig],
      ['/spec/caBundle', { service: spec?.service }],
    ]);
    return {
      calls: targetObject(
        type,
        null,
      )(object).fields.map((field) => {
        const { service: to = null, url } = clients.get(field.pointer) ?? {};
        return {
          field,
          service: to,
          url: url ?? null,
          server: to === null ? (url ?? '') : `${to.name}.${to.namespace}.svc`,
        };
      }),
      skipsVerification: spec?.insecureSkipTLSVerify === true,
      webhooks: (webhooks ?? []).map((each) => ({
        ...each,
        blocks: each.failurePolicy !== 'Ignore',
        rules: each.rules ?? [],
        isConditional: (each.matchConditions ?? []).length > 0,
      })),
      otherManagers: (metadata.managedFields ?? []).flatMap(({ manager, fieldsV1 }, at) => {
        const ownerships = caBundles(fieldsV1, `/metadata/managedFields/${at}/fieldsV1`);
        if (manager == null || manager === FIELD_MANAGER || ownerships.length === 0) return [];
        return [{ manager, managerPointer: `/metadata/managedFields/${at}/manager`, ownerships }];
      }),
    };
  };
