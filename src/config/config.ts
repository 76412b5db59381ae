import * as z from 'zod/mini';
import { crossChecks, type IsDefault, type LabelOf } from './cross-checks.ts';
import { unknownFlag } from './did-you-mean.ts';
import { type ConfigSources, resolveSource, type Source } from './sources.ts';
import { type Settings, settings } from './variables.ts';

export type { Upstream } from './addresses.ts';
export type { CaBundleTarget } from './ca-bundle-target.ts';

/** Everything that can be set, parsed, checked and frozen. Times are milliseconds, sizes bytes. */
export interface Config extends Settings {
  /** Never null: LEASE_DURATION unless set. */
  readonly watchStaleAfterMs: number;
  /** Every name the leaf carries, without repetition: the Service's four, then EXTRA_DNS_NAMES. */
  readonly serviceNames: readonly string[];
}

interface ConfigInput extends ConfigSources {
  /** Whether calls will be answered, so that exactly one of WEBHOOK_HANDLER and UPSTREAM_URL must be set. */
  readonly serves: boolean;
}

export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; /** One line each. */ readonly problems: readonly string[] };

const ownFlags = settings.flatMap(([, { flag, alias }]) => (alias === null ? [flag] : [flag, alias]));

const unknownFlags = (flags: ReadonlyMap<string, string>): string[] =>
  [...flags.keys()].filter((flag) => !ownFlags.includes(flag)).map((flag) => unknownFlag(flag, ownFlags));

/** Reads the whole configuration and tells every problem at once. Never throws, and repeats no secret. */
export const parseConfig = ({ serves, ...outside }: ConfigInput): ConfigResult => {
  const problems = unknownFlags(outside.flags);
  const sources = new Map<string, Source>();
  const values: Record<string, unknown> = {};
  for (const [field, variable] of settings) {
    const source = resolveSource(variable, outside);
    sources.set(field, source);
    const result = z.safeParse(variable.schema, source.text);
    if (result.success) values[field] = result.data;
    else problems.push(...result.error.issues.map(({ message }) => `${source.label()}: expected ${message}`));
  }
  const labelOf: LabelOf = (field) => sources.get(field)?.label() ?? field;
  const isStandard: IsDefault = (field) => sources.get(field)?.isStandard ?? true;
  problems.push(...crossChecks(values, { labelOf, isStandard }, serves));
  if (problems.length > 0) return { ok: false, problems };
  const complete = values as unknown as Settings;
  const watchStaleAfterMs = complete.watchStaleAfterMs ?? complete.leaseDurationMs;
  return { ok: true, config: deepFreeze({ ...complete, watchStaleAfterMs, serviceNames: serviceNames(complete) }) };
};

/** Freezes a plain value and everything in it, so that no part of the program can change what was configured. */
const deepFreeze = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach((each) => deepFreeze<unknown>(each));
  }
  return value;
};

interface Named {
  readonly serviceName: string;
  readonly namespace: string;
  readonly extraDnsNames: readonly string[];
}

/** Every name the leaf carries. The API server calls `svc.ns.svc`; the others are for people and other clients. */
const serviceNames = ({ serviceName, namespace, extraDnsNames }: Named): readonly string[] => {
  const inNamespace = `${serviceName}.${namespace}`;
  const names = [serviceName, inNamespace, `${inNamespace}.svc`, `${inNamespace}.svc.cluster.local`, ...extraDnsNames];
  return [...new Set(names)];
};
