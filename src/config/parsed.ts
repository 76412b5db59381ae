import * as z from 'zod/mini';

/** Reads the text of one setting; null stands for "not set". */
export type Schema<T> = z.ZodMiniType<T, string | null>;

/**
 * A schema out of one reading function. zod/mini rather than zod, since every replica pays for it at each start:
 * bundled it is 26 KiB and 3 ms to load instead of 158 KiB and 8 ms.
 *
 * @param accepts What is accepted, in words that follow "expected".
 * @param read The value, or undefined to refuse the text.
 */
export function parsed<T>(accepts: string, read: (text: string) => T | undefined): Schema<T> {
  return z.pipe(
    z.string(accepts),
    z.transform((text: string, ctx): T => {
      const value = read(text);
      if (value !== undefined) return value;
      ctx.issues.push({ code: 'custom', input: text, message: accepts });
      return z.NEVER;
    }),
  );
}
