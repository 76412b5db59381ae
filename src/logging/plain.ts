import { errorText } from '../util/errors.ts';
import { withoutSecret } from '../util/redact.ts';

/** From the least to the most important. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** The parts of one line, in the order in which they are written. */
export interface Entry {
  readonly level: LogLevel;
  /** Milliseconds since the epoch. */
  readonly timeMs: number;
  readonly message: string;
  readonly fields: ReadonlyMap<string, Plain>;
}

/** A value that JSON can represent. */
export type Plain = string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain };

const MAX_DEPTH = 8;

const entries = (value: object, above: readonly object[]): Plain => {
  if (above.includes(value)) return '[circular]';
  if (above.length >= MAX_DEPTH) return '[deep]';
  const path = [...above, value];
  if (Array.isArray(value)) return value.map((each) => plain(each, path) ?? null);
  const pairs = Object.entries(value).map(([key, each]) => [withoutSecret(key), plain(each, path)] as const);
  return Object.fromEntries(pairs.filter((pair): pair is readonly [string, Plain] => pair[1] !== undefined));
};

/**
 * Copies a value into one that JSON can represent: errors become their message, bigints text; cycles are cut, undefined is
 * left out. Text that looks secret and all bytes are replaced here, after every caller, so that no caller can forget it.
 */
export const plain = (value: unknown, above: readonly object[] = []): Plain | undefined => {
  if (typeof value === 'string') return withoutSecret(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object') return undefined;
  if (value instanceof Error) return withoutSecret(errorText(value));
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString();
  if (value instanceof URL) return withoutSecret(value.href);
  if (value instanceof Map) return entries(Object.fromEntries<unknown>(value), above);
  if (value instanceof Set) return entries([...value], above);
  return entries(value, above);
};
