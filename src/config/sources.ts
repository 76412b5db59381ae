import { quoted } from '../util/redact.ts';
import type { Variable } from './variable.ts';

/** Everything outside that settings are read from. */
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

/** The text that decides a setting, and how to name it to whoever set it. */
export interface Source {
  readonly text: string | null;
  /** `CERT_TIMEOUT="5x"`, `--cert-timeout="5x" (CERT_TIMEOUT)`, `LOG_LEVEL="info" (the default)`: for problems alone. */
  readonly label: () => string;
  /** Nobody set it. */
  readonly isStandard: boolean;
}

/** Flags win over the environment, which wins over the default. Blanks around a value do not count. */
export const resolveSource = (variable: Variable<unknown>, { env, flags, read }: ConfigSources): Source => {
  const { name, flag, alias, defaultValue: standard, allowEmpty: emptyCounts } = variable;
  const isSet = (text: string | null | undefined): text is string =>
    text !== null && text !== undefined && (emptyCounts || text !== '');
  for (const each of alias === null ? [flag] : [flag, alias]) {
    const text = flags.get(each)?.trim();
    if (isSet(text)) return { text, label: () => `--${each}=${quoted(text)} (${name})`, isStandard: false };
  }
  const text = env[name]?.trim();
  if (isSet(text)) return { text, label: () => `${name}=${quoted(text)}`, isStandard: false };
  if (typeof standard === 'string')
    return { text: standard, label: () => `${name}=${quoted(standard)} (the default)`, isStandard: true };
  if (standard?.read == null) return { text: null, label: () => `${name}, which is not set`, isStandard: true };
  // Hostnames may carry capitals, names in the cluster never do.
  const found = read[standard.read]()?.trim().toLowerCase();
  return isSet(found)
    ? { text: found, label: () => `${name}=${quoted(found)} (from ${standard.said})`, isStandard: true }
    : {
        text: null,
        label: () => `${name}, which neither the environment nor ${standard.said} tells`,
        isStandard: true,
      };
};
