import * as z from 'zod/mini';
import { type Issuer, issuers } from '../../streams/issuers.ts';
import { LOG_LEVELS, type LogLevel } from '../logging/plain.ts';
import { quoted } from '../util/redact.ts';

/** Reads the text of one setting; null stands for "not set". */
export type Schema<T> = z.ZodMiniType<T, string | null>;

/**
 * A schema out of one reading function. zod/mini rather than zod, since every replica pays for it at each start:
 * bundled it is 26 KiB and 3 ms to load instead of 158 KiB and 8 ms.
 *
 * @param accepts What is accepted, in words that follow "expected".
 * @param read The value, or undefined to refuse the text.
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

/** A path or a specifier: anything on one line that the operating system takes. */
export const string = (accepts: string): Schema<string> =>
  parsed(accepts, (text) => (/[\u0000-\u001f]/.test(text) ? undefined : text));

/** One of a few words, in any case. */
export const oneOf = <const Words extends readonly string[]>(...words: Words): Schema<Words[number]> =>
  parsed(`one of ${words.join(', ')}`, (text) => words.find((word) => word === text.toLowerCase()));

const issuerNames = Object.keys(issuers) as readonly (keyof typeof issuers)[];

/** The name of an issuer, in any case; read as what that issuer can do. */
export const issuer: Schema<Issuer> = parsed(`one of ${issuerNames.join(', ')}`, (text) => {
  const name = issuerNames.find((each) => each === text.toLowerCase());
  return name && issuers[name];
});

/** `true` or `false`, in any case. */
export const boolean: Schema<boolean> = parsed('true or false', (text) => {
  const word = text.toLowerCase();
  return word === 'true' ? true : word === 'false' ? false : undefined;
});

/** A whole number within two limits, both included. */
export const wholeNumber = (from: number, to: number): Schema<number> =>
  parsed(`a whole number from ${from} to ${to}`, (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
    return value >= from && value <= to ? value : undefined;
  });

/** What Kubernetes takes for a namespace and a Service: a label of RFC 1123. */
export const dnsLabel: Schema<string> = parsed(
  'a DNS label: at most 63 of a-z, 0-9 and -, beginning and ending with a letter or digit',
  (text) => (/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text) ? text : undefined),
);

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/**
 * What Kubernetes takes for most object names: a subdomain of RFC 1123.
 *
 * @param longest 253 characters, fewer where something is appended to the name.
 */
export const dnsSubdomain = (longest = 253): Schema<string> =>
  parsed(
    `a DNS subdomain: at most ${longest} of a-z, 0-9, - and ., each part beginning and ending with a letter or digit`,
    (text) => (text.length <= longest && SUBDOMAIN.test(text) ? text : undefined),
  );

const LABEL = '[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?';
const HOST_NAMES = new RegExp(`^(?:\\*\\.)?${LABEL}(?:\\.${LABEL})*$`);

/** A DNS name as a certificate carries it, lower-cased; its first part may be `*`. */
export const hostName: Schema<string> = parsed('a DNS name like webhook.example.com, not an address', (text) => {
  const name = text.toLowerCase();
  // Digits and dots alone would be an IPv4 address, which no client looks for among the DNS names.
  return name.length <= 253 && HOST_NAMES.test(name) && !/^[\d.]+$/.test(name) ? name : undefined;
});

const unitBytes = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;
const LARGEST_BYTES = unitBytes.GiB;

/** `7MiB`, `512KiB` or plain bytes. At most 1 GiB, since a request is held whole in memory. */
export const byteSize: Schema<number> = parsed('a size from 1 to 1GiB, like 7MiB, 512KiB or plain bytes', (text) => {
  const parts = /^(?<count>\d+)(?<unit>KiB|MiB|GiB)?$/.exec(text)?.groups;
  if (parts === undefined) return undefined;
  const unit = parts['unit'] as keyof typeof unitBytes | undefined;
  const bytes = Number(parts['count']) * (unit === undefined ? 1 : unitBytes[unit]);
  return bytes >= 1 && bytes <= LARGEST_BYTES ? bytes : undefined;
});

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

interface Limits {
  readonly fromMs: number;
  readonly toMs: number;
  /** Said after the range, when something about it needs a word. */
  readonly note?: string;
  /** The Lease counts in whole seconds. */
  readonly wholeSeconds?: boolean;
}

/** `500ms`, `2s`, `5m`, `720h`, `30d`; a bare number is seconds. Gives milliseconds. */
export const duration = ({ fromMs, toMs, note, wholeSeconds = false }: Limits): Schema<number> => {
  const range = `from ${durationText(fromMs)} to ${durationText(toMs)}${note === undefined ? '' : ` (${note})`}`;
  const kind = wholeSeconds ? 'a duration of whole seconds' : 'a duration';
  return parsed(`${kind} ${range}, like 500ms, 2s, 5m, 720h, 30d or, in seconds, a bare number`, (text) => {
    const parts = /^(?<count>\d+)(?<unit>ms|s|m|h|d)?$/.exec(text)?.groups;
    if (parts === undefined) return undefined;
    const durationMs = Number(parts['count']) * unitMs[(parts['unit'] ?? 's') as keyof typeof unitMs];
    if (durationMs < fromMs || durationMs > toMs) return undefined;
    return wholeSeconds && durationMs % 1000 !== 0 ? undefined : durationMs;
  });
};

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;

/** A whole number of milliseconds in the largest unit that divides it: 90000 is `90s`, 86400000 is `1d`, 0 is `0`. */
const durationText = (durationMs: number): string => {
  if (durationMs === 0) return '0';
  const [unit, unitMs] = units.find(([, ms]) => durationMs >= ms && durationMs % ms === 0) ?? ['ms', 1];
  return `${durationMs / unitMs}${unit}`;
};

/** A level by name or, for the `--v` that people know from Kubernetes' own programs, by verbosity. */
export const logLevel: Schema<LogLevel> = parsed(
  `one of ${LOG_LEVELS.join(', ')}, or a verbosity: 0 is info, 1 and more is debug`,
  (text) => {
    if (/^\d{1,3}$/.test(text)) return Number(text) === 0 ? 'info' : 'debug';
    return LOG_LEVELS.find((level) => level === text.toLowerCase());
  },
);

/** A list whose every bad item is told by itself; empty text is the empty list, a repeated item counts once. */
export const commaSeparated = <T>(item: Schema<T>): Schema<readonly T[]> =>
  z.pipe(
    z.string(),
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
/** Far more than any selector, and little enough to look at comma by comma. */
const LONGEST_CHARS = 4096;

const REQUIREMENT = new RegExp(
  `^(?:!\\s*${KEY}|${KEY}(?:\\s*(?:==?|!=)\\s*${VALUE}|\\s+(?:in|notin)\\s*\\(\\s*${VALUE}\\s*(?:,\\s*${VALUE}\\s*)*\\))?)$`,
);

/** The label selectors of `kubectl -l`; the API server reads them again, here they are only kept from being nonsense. */
export const labelSelector: Schema<string> = parsed(
  'a label selector like app=webhook,tier in (a,b),!canary',
  (text) => {
    if (text.length > LONGEST_CHARS) return undefined;
    // A comma inside the brackets of `in (a,b)` separates values, not requirements.
    const requirements = text.split(/,(?![^(]*\))/).map((each) => each.trim());
    return requirements.every((each) => REQUIREMENT.test(each)) ? text : undefined;
  },
);
