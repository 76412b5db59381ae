import { parsed, type Schema } from './parsed.ts';

/** A path or a specifier: anything on one line that the operating system takes. */
export function anyText(accepts: string): Schema<string> {
  return parsed(accepts, (text) => (/[\u0000-\u001f]/.test(text) ? undefined : text));
}
