import * as z from 'zod/mini';

/** Field manager of every write of this program, as recorded in managedFields. */
export const FIELD_MANAGER = 'webhook-certd';

/** For `metadata.managedFields`; what cannot be read counts as absent. */
export const managedFieldsSchema = z.catch(
  z.nullish(
    z.array(
      z.object({ manager: z.nullish(z.string()), time: z.nullish(z.string()), fieldsV1: z.optional(z.unknown()) }),
    ),
  ),
  null,
);

export type ManagedFields = z.infer<typeof managedFieldsSchema>;

const owns = (fields: unknown, field: string): boolean =>
  typeof fields === 'object' &&
  fields !== null &&
  Object.entries(fields).some(([key, below]) => key === field || owns(below, field));

/**
 * The field manager other than ours that wrote a field last; null when there is none.
 *
 * @param field as managedFields spells it, wherever it stands: `f:caBundle`
 */
export const otherFieldManager = (managedFields: ManagedFields, ours: string, field: string): string | null => {
  const writers = (managedFields ?? [])
    .filter(({ manager, fieldsV1 }) => manager != null && manager !== ours && owns(fieldsV1, field))
    .sort((left, right) => (left.time ?? '').localeCompare(right.time ?? ''));
  return writers.at(-1)?.manager ?? null;
};

/** Whether a field manager is recorded as a writer of a field; see {@link otherFieldManager} for `field`. */
export const ownsField = (managedFields: ManagedFields, manager: string, field: string): boolean =>
  (managedFields ?? []).some((entry) => entry.manager === manager && owns(entry.fieldsV1, field));
