import { issuers } from '../../streams/issuers.ts';
import type { BindAddress } from '../util/listen.ts';
import { bindText, type Upstream, upstreamText } from './addresses.ts';
import { durationText } from './types.ts';
import { type Settings, settings } from './variables.ts';

type Field = keyof Settings;

const NAMES: ReadonlyMap<Field, string> = new Map(settings.map(([field, { name }]) => [field, name]));

/** The variable of a field: `LEASE_NAME`. */
export const settingName = (field: Field): string => NAMES.get(field) ?? field;

interface Target {
  readonly type: string;
  readonly name: string;
}

const isAddress = (value: object): value is BindAddress => 'host' in value && 'port' in value;
/** A server by its origin or its socket. */
const isServer = (value: object): value is Upstream =>
  'kind' in value && (value.kind === 'http' || value.kind === 'unix');
const isTarget = (value: unknown): value is Target =>
  typeof value === 'object' && value !== null && 'type' in value && 'name' in value;

/** A value as the variable would be set to it. */
export const settingText = (field: Field, value: unknown): string => {
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'number') return field.endsWith('Ms') ? durationText(value) : String(value);
  if (Array.isArray(value))
    return value.map((each: unknown) => (isTarget(each) ? `${each.type}/${each.name}` : String(each))).join(',');
  if (typeof value === 'string') return value;
  if (typeof value !== 'object') return JSON.stringify(value);
  if (isAddress(value)) return bindText(value);
  if (isServer(value)) return upstreamText(value);
  const [issuer] = Object.entries(issuers).find(([, each]) => each === value) ?? [];
  return issuer ?? JSON.stringify(value);
};
