import * as z from 'zod/mini';
import { type Issuer, issuers } from '../../streams/issuers.ts';
import { LOG_LEVELS, type LogLevel } from '../logging/plain.ts';
import { quoted } from '../util/redact.ts';

/** Parses the text of one setting; null means "not set". */
export type Schema<T> = z.ZodMiniType<T, string | null>;

/**
 * Makes a schema from a parsing function. zod/mini rather than zod, since every replica loads it at each start:
 * bundled it is 26 KiB and 3 ms to load instead of 158 KiB and 8 ms.
 *
 * @param accepts What is accepted, in words that follow "expected".
 * @param read Returns the value, or undefined to reject the text.
 */
export const parsed = <T>(accepts: string, read: (text: string) => T | undefined): Schema<T> =>
  z.pipe(
    z.string(accepts),
    z.transform((text: string, ctx): T => {
      const value = read(text);
      if (value !== undefined) return value;
      ctx.issues.push({ code: 'custom', input: text, message: accepts });
      return z.NEVER;
    }),
  );

/** What a schema accepts, in words that follow "expected". */
export const acceptedBy = (schema: Schema<unknown>): string => {
  // No schema accepts undefined, and the issue of that names what the schema does accept.
  const [issue] = z.safeParse(schema, undefined).error?.issues ?? [];
  return issue?.message ?? '';
};

/** A path or a module specifier: any text without control characters. */
export const string = (accepts: string): Schema<string> =>
  parsed(accepts, (text) => (/[\u0000-\u001f]/.test(text) ? undefined : text));

/** One of a few words, in upper or lower case. */
export const oneOf = <const Words extends readonly string[]>(...words: Words): Schema<Words[number]> =>
  parsed(`one of ${words.join(', ')}`, (text) => words.find((word) => word === text.toLowerCase()));

const issuerNames = Object.keys(issuers) as readonly (keyof typeof issuers)[];

/** The name of an issuer. */
export const issuerName = oneOf(...issuerNames);

/** The name of an issuer, read as its capabilities. */
export const issuer: Schema<Issuer> = z.pipe(
  issuerName,
  z.transform((name) => issuers[name]),
);

/** `true` or `false`, in upper or lower case. */
export const boolean: Schema<boolean> = parsed('true or false', (text) => {
  const word = text.toLowerCase();
  return word === 'true' ? true : word === 'false' ? false : undefined;
});

/** A whole number from `from` to `to`, both included. */
export const wholeNumber = (from: number, to: number): Schema<number> =>
  parsed(`a whole number from ${from} to ${to}`, (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
    return value >= from && value <= to ? value : undefined;
  });

/** An RFC 1123 label, as Kubernetes requires for names of namespaces and Services. */
export const dnsLabel: Schema<string> = parsed(
  'a DNS label: at most 63 of a-z, 0-9 and -, beginning and ending with a letter or digit',
  (text) => (/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text) ? text : undefined),
);

/** Leaves room for the suffixes of the names that are derived from it. A Service's name begins with a letter. */
const INSTALLATION = /^[a-z](?:[-a-z0-9]{0,48}[a-z0-9])?$/;

/** The name of an installation, from which the names of its objects are derived. */
export const installationName: Schema<string> = parsed(
  'a name of at most 50 of a-z, 0-9 and -, beginning with a letter and not ending with -',
  (text) => (INSTALLATION.test(text) ? text : undefined),
);

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/**
 * An RFC 1123 subdomain, as Kubernetes requires for most object names.
 *
 * @param maxChars Less than 253 when a suffix is appended to the name.
 */
export const dnsSubdomain = (maxChars = 253): Schema<string> =>
  parsed(
    `a DNS subdomain: at most ${maxChars} of a-z, 0-9, - and ., each part beginning and ending with a letter or digit`,
    (text) => (text.length <= maxChars && SUBDOMAIN.test(text) ? text : undefined),
  );

const LABEL = '[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?';
const HOST_NAMES = new RegExp(`^(?:\\*\\.)?${LABEL}(?:\\.${LABEL})*$`);

/** A DNS name for a certificate, converted to lower case; its first label may be `*`. */
export const hostName: Schema<string> = parsed('a DNS name like webhook.example.com, not an address', (text) => {
  const name = text.toLowerCase();
  // Digits and dots alone are an IPv4 address, which clients do not match with DNS names.
  return name.length <= 253 && HOST_NAMES.test(name) && !/^[\d.]+$/.test(name) ? name : undefined;
});

const UNIT_BYTES = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;
const MAX_BYTES = UNIT_BYTES.GiB;

/** `7MiB`, `512KiB` or plain bytes. At most 1 GiB, since a request is kept in memory as a whole. */
export const byteSize: Schema<number> = parsed('a size from 1 to 1GiB, like 7MiB, 512KiB or plain bytes', (text) => {
  const parts = /^(?<count>\d+)(?<unit>KiB|MiB|GiB)?$/.exec(text)?.groups;
  if (parts === undefined) return undefined;
  const unit = parts['unit'] as keyof typeof UNIT_BYTES | undefined;
  const bytes = Number(parts['count']) * (unit === undefined ? 1 : UNIT_BYTES[unit]);
  return bytes >= 1 && bytes <= MAX_BYTES ? bytes : undefined;
});

/** From the largest unit. */
const UNIT_MS = { w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;
const UNITS = Object.keys(UNIT_MS) as readonly (keyof typeof UNIT_MS)[];

/** Each unit at most once, the largest first: `1h30m`. */
const DURATION = new RegExp(`^${UNITS.map((unit) => String.raw`(?:(?<${unit}>\d+)${unit})?`).join('')}$`);

const readDuration = (text: string): number | undefined => {
  if (/^\d+$/.test(text)) return Number(text) * UNIT_MS.s;
  const counts = text === '' ? undefined : DURATION.exec(text)?.groups;
  return counts && UNITS.reduce((sumMs, unit) => sumMs + Number(counts[unit] ?? 0) * UNIT_MS[unit], 0);
};

interface Limits {
  readonly fromMs: number;
  readonly toMs: number;
  /** Follows the range in the text of what is accepted. */
  readonly note?: string;
  /** Whether only whole seconds are accepted, as in the fields of a Lease. */
  readonly wholeSeconds?: boolean;
}

/** `500ms`, `2s`, `1h30m`, `30d`, `1w`; a number without a unit is seconds. Returns milliseconds. */
export const duration = ({ fromMs, toMs, note, wholeSeconds = false }: Limits): Schema<number> => {
  const range = `from ${durationText(fromMs)} to ${durationText(toMs)}${note === undefined ? '' : ` (${note})`}`;
  const kind = wholeSeconds ? 'a duration of whole seconds' : 'a duration';
  return parsed(`${kind} ${range}, like 500ms, 2s, 1h30m, 30d, 1w or a number of seconds`, (text) => {
    const durationMs = readDuration(text);
    if (durationMs === undefined || durationMs < fromMs || durationMs > toMs) return undefined;
    return wholeSeconds && durationMs % 1000 !== 0 ? undefined : durationMs;
  });
};

/** A whole number of milliseconds in the largest unit up to days that divides it: 90000 is `90s`, 86400000 is `1d`, 0 is `0`. */
export const durationText = (durationMs: number): string => {
  if (durationMs === 0) return '0';
  const unit = UNITS.find((each) => each !== 'w' && durationMs % UNIT_MS[each] === 0) ?? 'ms';
  return `${durationMs / UNIT_MS[unit]}${unit}`;
};

/** A duration as {@link duration}, where 0 means no time limit and reads as null. */
export const timeoutOrNever = (limits: Omit<Limits, 'fromMs' | 'note'>): Schema<number | null> =>
  z.pipe(
    duration({ ...limits, fromMs: 0, note: '0: no limit' }),
    z.transform((durationMs) => (durationMs === 0 ? null : durationMs)),
  );

/** A level by name or, as with the `--v` of Kubernetes components, by verbosity. */
export const logLevel: Schema<LogLevel> = parsed(
  `one of ${LOG_LEVELS.join(', ')}, or a verbosity: 0 is info, 1 and more is debug`,
  (text) => {
    if (/^\d{1,3}$/.test(text)) return Number(text) === 0 ? 'info' : 'debug';
    return LOG_LEVELS.find((level) => level === text.toLowerCase());
  },
);

/** A comma-separated list. Each invalid item is a problem of its own; empty text is the empty list, duplicates are removed. */
export const commaSeparated = <T>(item: Schema<T>): Schema<readonly T[]> =>
  z.pipe(
    z.string('a comma-separated list'),
    z.transform((text: string, ctx): readonly T[] => {
      if (text.trim() === '') return [];
      const found = new Map<string, T>();
      for (const each of text.split(',').map((part) => part.trim())) {
        const result = z.safeParse(item, each);
        if (result.success) found.set(JSON.stringify(result.data), result.data);
        else {
          const accepts = result.error.issues[0]?.message ?? 'something else';
          ctx.issues.push({ code: 'custom', input: text, message: `${accepts}; ${quoted(each)} is not` });
        }
      }
      return [...found.values()];
    }),
  );

const NAME = '[A-Za-z0-9](?:[-\\w.]{0,61}[A-Za-z0-9])?';
const PREFIX = '[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?';
const KEY = `(?:${PREFIX}/)?${NAME}`;
const VALUE = `(?:${NAME})?`;
/** Longer than any practical selector, and short enough to check quickly. */
const MAX_CHARS = 4096;

const REQUIREMENT = new RegExp(
  `^(?:!\\s*${KEY}|${KEY}(?:\\s*(?:==?|!=)\\s*${VALUE}|\\s+(?:in|notin)\\s*\\(\\s*${VALUE}\\s*(?:,\\s*${VALUE}\\s*)*\\))?)$`,
);

/** A label selector as in `kubectl -l`. Only its syntax is checked; the API server interprets it. */
export const labelSelector: Schema<string> = parsed(
  'a label selector like app=webhook,tier in (a,b),!canary',
  (text) => {
    if (text.length > MAX_CHARS) return undefined;
    // A comma inside the brackets of `in (a,b)` separates values, not requirements.
    const requirements = text.split(/,(?![^(]*\))/).map((each) => each.trim());
    return requirements.every((each) => REQUIREMENT.test(each)) ? text : undefined;
  },
);

/** Every TYPE of CA_BUNDLE_TARGETS; src/cluster/targets.ts holds what each of them is. */
const TARGET_TYPES = [
  'validatingwebhookconfiguration',
  'mutatingwebhookconfiguration',
  'customresourcedefinition',
  'apiservice',
] as const;

export type TargetType = (typeof TARGET_TYPES)[number];

/** An object whose caBundle is kept up to date. */
export interface CaBundleTarget {
  readonly type: TargetType;
  readonly name: string;
}

const objectName = dnsSubdomain();

/** `TYPE/NAME`. Only the singular of a type is accepted, so that a target has one spelling in logs, metrics and status. */
export const caBundleTarget: Schema<CaBundleTarget> = parsed(
  `TYPE/NAME, where TYPE is one of ${TARGET_TYPES.join(', ')} and NAME is the object's name`,
  (text) => {
    const [typeText = '', ...rest] = text.split('/');
    const type = TARGET_TYPES.find((each) => each === typeText.toLowerCase());
    const name = z.safeParse(objectName, rest.join('/'));
    return type !== undefined && name.success ? { type, name: name.data } : undefined;
  },
);
