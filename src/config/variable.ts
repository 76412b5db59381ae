import type { Schema } from './types.ts';
/** Where a value comes from when nobody sets it. */
export type Standard =
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
  readonly standard: Standard;
  readonly schema: Schema<T>;
  /** For help and the README; begins in lower case and has no full stop. */
  readonly meaning: string;
  /** What the flag means without a value; null when it needs one. */
  readonly bare: string | null;
}

/** A setting that is an environment variable first. */
export interface Variable<T> extends Setting<T> {
  readonly name: string;
  /** A second, shorter flag, asked after the first. */
  readonly alias: string | null;
  /** Set to nothing is a value of its own, not "unset". */
  readonly emptyCounts: boolean;
}

type Extra = Partial<Pick<Variable<unknown>, 'alias' | 'bare' | 'emptyCounts'>>;

/** A row of the table; the flag follows from the name: CERT_TIMEOUT is `--cert-timeout`. */
export const variable = <T>(
  name: string,
  standard: Standard,
  schema: Schema<T>,
  meaning: string,
  extra: Extra = {},
): Variable<T> => {
  const flag = name.toLowerCase().replaceAll('_', '-');
  return { name, flag, standard, schema, meaning, alias: null, bare: null, emptyCounts: false, ...extra };
};
