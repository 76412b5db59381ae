import { parsed, type Schema } from './parsed.ts';

/** One of a few words, in any case. */
export function choice<const Words extends readonly string[]>(...words: Words): Schema<Words[number]> {
  return parsed(`one of ${words.join(', ')}`, (text) => words.find((word) => word === text.toLowerCase()));
}
