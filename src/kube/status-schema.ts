import * as z from 'zod';

/** metav1.Status, as far as it explains a refusal. Never throws: whatever else came explains nothing. */
export const statusSchema = z
  .object({
    code: z.number().nullable().catch(null),
    reason: z.string().nullable().catch(null),
    message: z.string().catch(''),
    details: z
      .object({ retryAfterSeconds: z.number().nonnegative().nullable().catch(null) })
      .catch({ retryAfterSeconds: null }),
  })
  .catch({ code: null, reason: null, message: '', details: { retryAfterSeconds: null } });
