import { quoted } from '../util/redact.ts';
import { isNamedDefault, namedDefault, type Names, type Variable } from './variable.ts';

/** The sources that settings are read from. */
export interface ConfigSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** By name, without the dashes. */
  readonly flags: ReadonlyMap<string, string>;
  readonly read: {
    /** The service account's namespace; null outside a pod. */
    readonly namespace: () => string | null;
    readonly hostname: () => string | null;
  };
}

/** The text of a setting, and how a problem names it. */
export interface Source {
  readonly text: string | null;
  /** `CERT_TIMEOUT="5x"`, `--cert-timeout="5x" (CERT_TIMEOUT)`, `LOG_LEVEL="info" (the default)`. Only problems need it. */
  readonly label: () => string;
  /** Whether the value is the default. */
  readonly isDefault: boolean;
}

/**
 * Finds the text of a setting. Flags take precedence over the environment, which takes precedence over the default.
 *
 * @param names what the defaults that follow NAME are made of
 */
export const resolveSource = (
  variable: Variable<unknown>,
  { env, flags, read }: ConfigSources,
  names: Names,
): Source => {
  const { name, flag, alias, defaultValue, allowEmpty } = variable;
  const isSet = (text: string | undefined): text is string => text !== undefined && (allowEmpty || text !== '');
  for (const each of alias === null ? [flag] : [flag, alias]) {
    const text = flags.get(each)?.trim();
    if (isSet(text)) return { text, label: () => `--${each}=${quoted(text)} (${name})`, isDefault: false };
  }
  const text = env[name]?.trim();
  if (isSet(text)) return { text, label: () => `${name}=${quoted(text)}`, isDefault: false };
  if (typeof defaultValue === 'string')
    return { text: defaultValue, label: () => `${name}=${quoted(defaultValue)} (the default)`, isDefault: true };
  if (isNamedDefault(defaultValue)) {
    const text = namedDefault(defaultValue, names);
    const origin = names.name === null ? 'the default' : 'from NAME';
    return { text, label: () => `${name}=${quoted(text)} (${origin})`, isDefault: true };
  }
  if (defaultValue?.read == null) return { text: null, label: () => `${name}, which is not set`, isDefault: true };
  // A hostname may contain capitals; names of Kubernetes objects do not.
  const found = read[defaultValue.read]()?.trim().toLowerCase();
  return isSet(found)
    ? { text: found, label: () => `${name}=${quoted(found)} (from ${defaultValue.description})`, isDefault: true }
    : {
        text: null,
        label: () => `${name}, which is set neither by the environment nor by ${defaultValue.description}`,
        isDefault: true,
      };
};
