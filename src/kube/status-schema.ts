import * as z from 'zod/mini';

/** metav1.Status, as far as it explains a refusal. Never throws: whatever else came explains nothing. */
export const statusSchema = z.catch(
  z.object({
    code: z.catch(z.nullable(z.number()), null),
    reason: z.catch(z.nullable(z.string()), null),
    message: z.catch(z.string(), ''),
    details: z.catch(z.object({ retryAfterSeconds: z.catch(z.nullable(z.number().check(z.nonnegative())), null) }), {
      retryAfterSeconds: null,
    }),
  }),
  { code: null, reason: null, message: '', details: { retryAfterSeconds: null } },
);
