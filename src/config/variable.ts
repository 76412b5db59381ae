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
  | NamedDefault
  | null;

/** A default that follows NAME. */
export interface NamedDefault {
  /** The value when NAME is set, in which `NAME` and `POD_NAMESPACE` stand for their values: `NAME-cert`. */
  readonly withName: string;
  /** The value when NAME is not set. */
  readonly withoutName: string;
}

export const isNamedDefault = (value: Default): value is NamedDefault =>
  value !== null && typeof value === 'object' && 'withName' in value;

/** What NAME and POD_NAMESPACE are set to; null where they are not, or where their value is bad. */
export interface Names {
  readonly name: string | null;
  readonly namespace: string | null;
}

/** Fills in the value of a default that follows NAME. A bad POD_NAMESPACE is a problem of its own, and must not become two. */
export const namedDefault = ({ withName, withoutName }: NamedDefault, { name, namespace }: Names): string =>
  name === null
    ? withoutName
    : withName.replaceAll(/POD_NAMESPACE|NAME/g, (word) => (word === 'NAME' ? name : (namespace ?? 'default')));

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
