import type { Schema } from './types.ts';

/** The value of a setting that is not set. */
export type Default =
  | string
  | {
      /** The source to read; null when the value of another setting is used. */
      readonly read: 'namespace' | 'hostname' | null;
      /** For help and problems: `the hostname`. */
      readonly description: string;
    }
  | null;

/** A setting with its flag. */
export interface Setting<T> {
  /** Without the dashes: `cert-timeout`. */
  readonly flag: string;
  /** Used when the setting is not set; null when there is no default. */
  readonly defaultValue: Default;
  readonly schema: Schema<T>;
  /** For help and documentation; begins in lower case and has no full stop. */
  readonly meaning: string;
  /** The value of the flag given without one; null when it needs a value. */
  readonly valueWhenBare: string | null;
}

/** A setting that is an environment variable. */
export interface Variable<T> extends Setting<T> {
  readonly name: string;
  /** A second, shorter flag; the first has precedence. */
  readonly alias: string | null;
  /** Whether the empty text is a value; otherwise it means "not set". */
  readonly allowEmpty: boolean;
}

type Extra = Partial<Pick<Variable<unknown>, 'alias' | 'valueWhenBare' | 'allowEmpty'>>;

/** Creates a row of the table. The flag is derived from the name: CERT_TIMEOUT is `--cert-timeout`. */
export const variable = <T>(
  name: string,
  defaultValue: Default,
  schema: Schema<T>,
  meaning: string,
  extra: Extra = {},
): Variable<T> => {
  const flag = name.toLowerCase().replaceAll('_', '-');
  return {
    name,
    flag,
    defaultValue,
    schema,
    meaning,
    alias: null,
    valueWhenBare: null,
    allowEmpty: false,
    ...extra,
  };
};
