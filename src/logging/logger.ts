import { Writable } from 'node:stream';
import winston from 'winston';
import { visibleText, withoutSecret } from '../util/redact.ts';
import { type Entry, LOG_LEVELS, type LogLevel, type Plain, plain } from './plain.ts';

/** Width of the message column; most messages of the contract fit. */
const MESSAGE_CHARS = 52;
const SHORT_HASH_CHARS = 12;
const COLOURS = { debug: 90, info: 36, warn: 33, error: 31 } as const;
const DIM = 90;

const clock = (timeMs: number): string => {
  const time = new Date(timeMs);
  const two = (part: number): string => String(part).padStart(2, '0');
  const millis = String(time.getMilliseconds()).padStart(3, '0');
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${millis}`;
};

const shortHashes = (text: string): string =>
  text.replace(/\b[0-9a-f]{64}\b/g, (hash) => hash.slice(0, SHORT_HASH_CHARS));

const fieldText = (value: Plain): string => {
  if (typeof value === 'string' && /^[^\s"\\=]+$/.test(value) && visibleText(value) === value) return value;
  return typeof value === 'string' ? `"${visibleText(value)}"` : JSON.stringify(value);
};

/** One line for people: `HH:MM:SS.mmm LEVEL message  key=value`, in local time, with shortened hashes. */
export const prettyLine = ({ level, timeMs, message, fields }: Entry, coloured: boolean): string => {
  const paint = (code: number, part: string): string => (coloured ? `\u001b[${code}m${part}\u001b[0m` : part);
  const text = visibleText(message);
  const pairs = Array.from(
    fields,
    ([key, value]) => paint(DIM, `${visibleText(key)}=`) + shortHashes(fieldText(value)),
  );
  const head = `${paint(DIM, clock(timeMs))} ${paint(COLOURS[level], level.toUpperCase().padEnd(5))}`;
  return pairs.length === 0 ? `${head} ${text}` : `${head} ${text.padEnd(MESSAGE_CHARS)}  ${pairs.join(' ')}`;
};

/** Fields in the order in which they are written. Errors become their message; undefined is left out. */
export type LogFields = Readonly<Record<string, unknown>>;

type Log = (message: string, fields?: LogFields) => void;

/** Writes log lines. No method throws, and secrets are redacted. */
export type Logger = Readonly<Record<LogLevel, Log>>;

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: 'json' | 'pretty';
  /** Writes one line, given without its line end. Called before the logging call returns, so that no line is lost at exit. */
  readonly write: (line: string) => void;
  /** Applies to `pretty` only. */
  readonly colours: boolean;
  /** Milliseconds since the epoch; the system clock by default. */
  readonly now?: () => number;
}

/** winston's order: 0 is the most important. */
const PRIORITIES = Object.fromEntries(LOG_LEVELS.toReversed().map((level, at) => [level, at]));

/** Converts fields of any kind. If a getter or a proxy throws, the fields are lost but the line is written. */
const fieldsOf = (fields: LogFields): ReadonlyMap<string, Plain> => {
  try {
    return new Map(Object.entries((plain(fields) ?? {}) as Readonly<Record<string, Plain>>));
  } catch {
    return new Map([['fields', 'unreadable']]);
  }
};

/** Creates a winston logger with four levels that writes each line immediately. */
export const createLogger = ({ level, format, write, colours, now = Date.now }: LoggerOptions): Logger => {
  const line = (entry: Entry): string => (format === 'json' ? jsonLine(entry) : prettyLine(entry, colours));
  const stream = new Writable({
    decodeStrings: false,
    write: (text: string, _encoding, done) => {
      try {
        write(text);
      } catch {
        // The reader is gone. The failure cannot be logged, and a log line must not end the daemon.
      }
      done();
    },
  });
  const logger = winston.createLogger({
    level,
    levels: PRIORITIES,
    format: winston.format.printf(({ entry }) => line(entry as Entry)),
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- winston types it as an interface
    transports: [new winston.transports.Stream({ stream, eol: '' })],
  });
  const at =
    (entryLevel: LogLevel): Log =>
    (message, fields = {}) => {
      if (!logger.isLevelEnabled(entryLevel)) return;
      const entry: Entry = {
        level: entryLevel,
        timeMs: now(),
        message: withoutSecret(message),
        fields: fieldsOf(fields),
      };
      // One object, since winston appends a separate field named `message` to the message itself.
      logger.log({ level: entryLevel, message: entry.message, entry });
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
};

const RESERVED_KEYS = new Set(['level', 'time', 'message']);

/** One line of JSON: level, time, message, then the fields. A field with one of those three names is prefixed with `_`. */
const jsonLine = ({ level, timeMs, message, fields }: Entry): string => {
  const pairs = Array.from(fields, ([key, value]) => [RESERVED_KEYS.has(key) ? `_${key}` : key, value] as const);
  return JSON.stringify({ level, time: new Date(timeMs).toISOString(), message, ...Object.fromEntries(pairs) });
};
