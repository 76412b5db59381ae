import * as z from 'zod';
import { managedFieldsSchema, type ManagedFields } from './rival-of.ts';

/** A Secret as it stands, its values decoded. */
export interface SecretObject {
  readonly resourceVersion: string;
  readonly values: Readonly<Record<string, Buffer>>;
  readonly managedFields: ManagedFields;
}

const schema = z
  .object({
    metadata: z.object({ resourceVersion: z.string().min(1), managedFields: managedFieldsSchema }),
    data: z.record(z.string(), z.string()).nullish(),
  })
  .transform(({ metadata, data }): SecretObject => ({
    resourceVersion: metadata.resourceVersion,
    managedFields: metadata.managedFields,
    values: Object.fromEntries(Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')])),
  }));

/** @throws ZodError when it is no Secret. */
export const secretObject = (object: unknown): SecretObject => schema.parse(object);
