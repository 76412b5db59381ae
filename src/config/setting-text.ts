import { issuers } from '../../streams/issuers.ts';
import { durationText } from './types.ts';
import { type Settings, settings } from './variables.ts';

type Field = keyof Settings;

const NAMES: ReadonlyMap<Field, string> = new Map(settings.map(([field, { name }]) => [field, name]));

/** The variable of a field: `LEASE_NAME`. */
export const settingName = (field: Field): string => NAMES.get(field) ?? field;

interface Address {
  readonly host: string | null;
  readonly port: number;
}

interface Target {
  readonly type: string;
  readonly name: string;
}

const isAddress = (value: object): value is Address => 'host' in value && 'port' in value;
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
  if (isAddress(value)) return `${value.host ?? ''}:${value.port}`;
  const [issuer] = Object.entries(issuers).find(([, each]) => each === value) ?? [];
  return issuer ?? JSON.stringify(value);
};
