import * as z from 'zod';
import type { LabelSelector } from './selector-matches.ts';

export interface AdmissionRule {
  readonly operations: readonly string[];
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly resources: readonly string[];
  readonly scope: string;
}

const texts = z.array(z.string()).nullish();
const selector = z
  .object({
    matchLabels: z.record(z.string(), z.string()).nullish(),
    matchExpressions: z.array(z.object({ key: z.string(), operator: z.string(), values: texts })).nullish(),
  })
  .nullish()
  .transform((given): LabelSelector => ({
    matchLabels: given?.matchLabels ?? {},
    matchExpressions: (given?.matchExpressions ?? []).map((each) => ({ ...each, values: each.values ?? [] })),
  }));
const client = z.object({ service: z.object({ name: z.string(), namespace: z.string() }).nullish() }).nullish();
const rule = z
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
  rules: z.array(rule).nullish(),
  namespaceSelector: selector,
  objectSelector: selector,
  matchConditions: z.array(z.unknown()).nullish(),
  clientConfig: client,
});
/** An object with a caBundle, as far as it tells whom it calls for what. */
export const targetSchema = z.object({
  metadata: z.object({
    managedFields: z.array(z.object({ manager: z.string().nullish(), fieldsV1: z.unknown() })).nullish(),
  }),
  webhooks: z.array(webhook).nullish(),
  spec: z
    .object({
      service: z.object({ name: z.string(), namespace: z.string() }).nullish(),
      conversion: z.object({ webhook: z.object({ clientConfig: client }).nullish() }).nullish(),
    })
    .nullish(),
});
