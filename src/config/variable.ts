import type { Schema } from './types.ts';
/** Where a value comes from when nobody sets it. */
export type Default =
  | string
  | {
      /** What to ask; null when another setting stands in. */ readonly read: 'namespace' | 'hostname' | null;
      readonly said: string;
    }
  | null;

/** One thing that can be set, with its flag. */
export interface Setting<T> {
  /** Without the dashes: `cert-timeout`. */
  readonly flag: string;
  /** Text to read when it is not set; null when there is none. */
  readonly defaultValue: Default;
  readonly schema: Schema<T>;
  /** For help and the README; begins in lower case and has no full stop. */
  readonly meaning: string;
  /** What the flag means without a value; null when it needs one. */
  readonly valueWhenBare: string | null;
}

/** A setting that is an environment variable first. */
export interface Variable<T> extends Setting<T> {
  readonly name: string;
  /** A second, shorter flag, asked after the first. */
  readonly alias: string | null;
  /** Set to nothing is a value of its own, not "unset". */
  readonly allowEmpty: boolean;
}

type Extra = Partial<Pick<Variable<unknown>, 'alias' | 'valueWhenBare' | 'allowEmpty'>>;

/** A row of the table; the flag follows from the name: CERT_TIMEOUT is `--cert-timeout`. */
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
    defaultValue: defaultValue,
    schema,
    meaning,
    alias: null,
    valueWhenBare: null,
    allowEmpty: false,
    ...extra,
  };
};
