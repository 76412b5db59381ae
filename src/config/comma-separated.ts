import * as z from 'zod/mini';
import type { Schema } from './parsed.ts';
import { quoted } from './quoted.ts';

/** A list whose every bad item is told by itself; empty text is the empty list, a repeated item counts once. */
export function commaSeparated<T>(item: Schema<T>): Schema<readonly T[]> {
  return z.pipe(
    z.string(),
    z.transform((text: string, ctx): readonly T[] => {
      if (text.trim() === '') return [];
      const found = new Map<string, T>();
      for (const each of text.split(',').map((part) => part.trim())) {
        const result = z.safeParse(item, each);
        if (result.success) found.set(JSON.stringify(result.data), result.data);
        else {
          const accepts = result.error.issues[0]?.message ?? 'something else';
          ctx.issues.push({ code: 'custom', input: text, message: `${accepts}; ${quoted(each)} is not` });
        }
      }
      return [...found.values()];
    }),
  );
}
