import * as z from 'zod';
import { apiVersion } from './api-version.ts';
import { bodySchemas } from './body-schemas.ts';
import type { KubeObject } from './kube-object.ts';
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

/** Drops what Go's `omitempty` would not write: nulls everywhere, and empty maps and lists of the metadata. */
const pruned = (value: unknown, isMetadata = false): unknown => {
  if (Array.isArray(value)) return value.map((each) => pruned(each));
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value)
    .map(([key, each]) => [key, pruned(each, key === 'metadata')] as const)
    .filter(([, each]) => each !== null && each !== undefined && !(isMetadata && isEmpty(each)));
  return Object.fromEntries(kept);
};

/** Either an object of the wanted kind, or the kind the JSON says it is and why it is not what is wanted. */
export type Decoded = { readonly object: KubeObject } | { readonly kind: string; readonly why: string };

/** Reads what a client sent as an object of one kind, with defaults filled in. An absent kind is taken to be right. */
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
