import * as z from 'zod/mini';
import { crossChecks, inClusterProblems, type IsDefault, type LabelOf } from './cross-checks.ts';
import { unknownFlag } from './did-you-mean.ts';
import { type ConfigSources, resolveSource, type Source } from './sources.ts';
import { type Settings, settings } from './variables.ts';

export type { Reload, ReloadSignal, ServingAddress, Upstream } from './addresses.ts';
export type { CaBundleTarget } from './types.ts';

/** The parsed and checked configuration, frozen. Times are milliseconds, sizes bytes. */
export interface Config extends Settings {
  /** Never null: defaults to LEASE_DURATION. */
  readonly watchStaleAfterMs: number;
  /** The DNS names of the leaf without duplicates: the Service's four, then EXTRA_DNS_NAMES. */
  readonly serviceNames: readonly string[];
  /** The names that callers use, without which a certificate is refused: of a relayed one only these are asked for. */
  readonly requiredNames: readonly string[];
}

interface ConfigInput extends ConfigSources {
  /** Whether the command answers requests, which requires exactly one of WEBHOOK_HANDLER, UPSTREAM_URL and SERVING_ADDRESS. */
  readonly serves: boolean;
  /** Flags that the user is likely to have misspelt. Their absence is not reported, since the misspelling is. */
  readonly meant?: readonly string[];
}

export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; /** One line each. */ readonly problems: readonly string[] };

const variableFlags = settings.flatMap(([, { flag, alias }]) => (alias === null ? [flag] : [flag, alias]));

const unknownFlags = (flags: ReadonlyMap<string, string>): string[] =>
  [...flags.keys()].filter((flag) => !variableFlags.includes(flag)).map((flag) => unknownFlag(flag, variableFlags));

/** Parses the whole configuration and reports all problems together. Never throws; problems contain no secret. */
export const parseConfig = ({ serves, meant = [], ...sources }: ConfigInput): ConfigResult => {
  const problems = unknownFlags(sources.flags);
  const found = new Map<string, Source>();
  const values: Record<string, unknown> = {};
  const textOf = (field: string): string | null =>
    values[field] === undefined ? null : (found.get(field)?.text ?? null);
  for (const [field, variable] of settings) {
    // NAME and POD_NAMESPACE are the first rows, so that they are known to the others.
    const names = { name: textOf('name'), namespace: textOf('namespace') };
    const source = resolveSource(variable, sources, names);
    found.set(field, source);
    if (source.isDefault && meant.includes(variable.flag)) continue;
    const result = z.safeParse(variable.schema, source.text);
    if (result.success) values[field] = result.data;
    else problems.push(...result.error.issues.map(({ message }) => `${source.label()}: expected ${message}`));
  }
  const labelOf: LabelOf = (field) => found.get(field)?.label() ?? field;
  const isDefault: IsDefault = (field) => found.get(field)?.isDefault ?? true;
  problems.push(...crossChecks(values, { labelOf, isDefault }, serves));
  // A kubeconfig takes precedence over the address in a Pod.
  if (values['kubeconfig'] === null) problems.push(...inClusterProblems(sources.env));
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, config: completed(values as unknown as Settings) };
};

/** Adds to complete settings what follows from several of them. */
export const completed = (values: Settings): Config => {
  const watchStaleAfterMs = values.watchStaleAfterMs ?? values.leaseDurationMs;
  const names = serviceNames(values);
  const { serviceName, namespace, extraDnsNames, issuer } = values;
  const called = [...new Set([`${serviceName}.${namespace}.svc`, ...extraDnsNames])];
  const requiredNames = issuer.readsSource ? called : names;
  return deepFreeze({ ...values, watchStaleAfterMs, serviceNames: names, requiredNames });
};

/** Freezes a value and everything in it, so that no part of the program can change the configuration. */
const deepFreeze = <T>(value: T): T => {
  // Primitive values count as frozen.
  if (Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const each of Object.values(value as object)) deepFreeze<unknown>(each);
  return value;
};

interface NameParts {
  readonly serviceName: string;
  readonly namespace: string;
  readonly extraDnsNames: readonly string[];
}

/** The DNS names of the leaf. The API server uses `svc.ns.svc`; the others are for people and other clients. */
const serviceNames = ({ serviceName, namespace, extraDnsNames }: NameParts): readonly string[] => {
  const inNamespace = `${serviceName}.${namespace}`;
  const names = [serviceName, inNamespace, `${inNamespace}.svc`, `${inNamespace}.svc.cluster.local`, ...extraDnsNames];
  return [...new Set(names)];
};
