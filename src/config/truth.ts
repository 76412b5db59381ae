import { parsed, type Schema } from './parsed.ts';

/** `true` or `false`, in any case. */
export const truth: Schema<boolean> = parsed('true or false', (text) => {
  const word = text.toLowerCase();
  return word === 'true' ? true : word === 'false' ? false : undefined;
});
