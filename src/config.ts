import * as z from 'zod/mini';
import { crossChecks, type IsStandard, type LabelOf } from './config/cross-checks.ts';
import { deepFreeze } from './config/deep-freeze.ts';
import { serviceNames } from './config/service-names.ts';
import { settings, type Settings } from './config/settings.ts';
import { sourceOf, type Outside, type Source } from './config/source-of.ts';
import { unknownFlag } from './config/unknown-flag.ts';

export type { BindAddress } from './config/bind-address.ts';
export type { CaBundleTarget } from './config/ca-bundle-target.ts';
export type { Upstream } from './config/upstream.ts';

/** Everything that can be set, parsed, checked and frozen. Times are milliseconds, sizes bytes. */
export interface Config extends Settings {
  /** Never null: LEASE_DURATION unless set. */
  readonly watchStaleAfterMs: number;
  /** Every name the leaf carries, without repetition: the Service's four, then EXTRA_DNS_NAMES. */
  readonly serviceNames: readonly string[];
}

export interface ConfigInput extends Outside {
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
export function parseConfig({ serves, ...outside }: ConfigInput): ConfigResult {
  const problems = unknownFlags(outside.flags);
  const sources = new Map<string, Source>();
  const values: Record<string, unknown> = {};
  for (const [field, variable] of settings) {
    const source = sourceOf(variable, outside);
    sources.set(field, source);
    const result = z.safeParse(variable.schema, source.text);
    if (result.success) values[field] = result.data;
    else problems.push(...result.error.issues.map(({ message }) => `${source.label()}: expected ${message}`));
  }
  const labelOf: LabelOf = (field) => sources.get(field)?.label() ?? field;
  const isStandard: IsStandard = (field) => sources.get(field)?.isStandard ?? true;
  problems.push(...crossChecks(values, { labelOf, isStandard }, serves));
  if (problems.length > 0) return { ok: false, problems };
  const complete = values as unknown as Settings;
  const watchStaleAfterMs = complete.watchStaleAfterMs ?? complete.leaseDurationMs;
  return { ok: true, config: deepFreeze({ ...complete, watchStaleAfterMs, serviceNames: serviceNames(complete) }) };
}
