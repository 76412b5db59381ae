import { Writable } from 'node:stream';
import winston from 'winston';
import { withoutSecret } from '../util/redact.ts';
import { type Entry, type LogLevel, type Plain, plain } from './plain.ts';
import { prettyLine } from './pretty.ts';
/** Fields in the order they are to be read. Errors become their message; undefined is left out. */
export type LogFields = Readonly<Record<string, unknown>>;

type Log = (message: string, fields?: LogFields) => void;

/** Where everything that is said goes. Nothing here throws, and no secret gets through. */
export type Logger = Readonly<Record<LogLevel, Log>>;

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: 'json' | 'pretty';
  /** Takes one line, without its end. Called before the logging call returns, so no line is lost at exit. */
  readonly write: (line: string) => void;
  /** Only for `pretty`. */
  readonly colours: boolean;
  /** Milliseconds since the epoch; the system's clock unless given. */
  readonly now?: () => number;
}

const levels: Readonly<Record<LogLevel, number>> = { error: 0, warn: 1, info: 2, debug: 3 };

/** Fields of any kind, made fit for a line; a getter or a proxy that throws costs the fields, not the line. */
const fieldsOf = (fields: LogFields): ReadonlyMap<string, Plain> => {
  try {
    return new Map(Object.entries((plain(fields) ?? {}) as Readonly<Record<string, Plain>>));
  } catch {
    return new Map([['fields', 'unreadable']]);
  }
};

/** A winston logger of four levels that writes each line at once. */
export const createLogger = ({ level, format, write, colours, now = Date.now }: LoggerOptions): Logger => {
  const line = (entry: Entry): string => (format === 'json' ? jsonLine(entry) : prettyLine(entry, colours));
  const stream = new Writable({
    decodeStrings: false,
    write: (text: string, _encoding, done) => {
      try {
        write(text);
      } catch {
        // A reader that has gone away: there is nobody left to tell, and a log line must not end the daemon.
      }
      done();
    },
  });
  const logger = winston.createLogger({
    level,
    levels,
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
      // One object, since winston glues a `message` among separate fields to the message itself.
      logger.log({ level: entryLevel, message: entry.message, entry });
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
};

const own = new Set(['level', 'time', 'message']);

/** One line of JSON: level, time, message, then the fields as given. A field named like one of those three gets a `_`. */
const jsonLine = ({ level, timeMs, message, fields }: Entry): string => {
  const given = Array.from(fields, ([key, value]) => [own.has(key) ? `_${key}` : key, value] as const);
  return JSON.stringify({ level, time: new Date(timeMs).toISOString(), message, ...Object.fromEntries(given) });
};
