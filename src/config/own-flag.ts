import type { Schema } from './parsed.ts';
import type { Setting } from './variable.ts';

/** A flag of one command, which is no environment variable. */
export interface OwnFlag<T> extends Setting<T> {
  /** What its value is called in help; null for a switch. */
  readonly placeholder: string | null;
  readonly standard: string | null;
}

/** A row of a command's own flags. */
export function ownFlag<T>(
  flag: string,
  placeholder: string | null,
  standard: string | null,
  schema: Schema<T>,
  meaning: string,
): OwnFlag<T> {
  return { flag, placeholder, standard, schema, meaning, bare: placeholder === null ? 'true' : null };
}
