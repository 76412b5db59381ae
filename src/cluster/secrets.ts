import * as z from 'zod/mini';
import { type ManagedFields, managedFieldsSchema } from '../kube/managed-fields.ts';

/** A Secret with its values decoded. */
export interface SecretObject {
  readonly resourceVersion: string;
  readonly values: Readonly<Record<string, Buffer>>;
  readonly managedFields: ManagedFields;
}

const schema = z.object({
  metadata: z.object({ resourceVersion: z.string().check(z.minLength(1)), managedFields: managedFieldsSchema }),
  data: z.nullish(z.record(z.string(), z.string())),
});

/** Decodes a Secret. @throws ZodError when it is none */
export const secretObject = (object: unknown): SecretObject => {
  const { metadata, data } = schema.parse(object);
  return {
    resourceVersion: metadata.resourceVersion,
    managedFields: metadata.managedFields,
    values: Object.fromEntries(Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')])),
  };
};
