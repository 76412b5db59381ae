import { visibleText } from '../util/redact.ts';
import type { Entry, Plain } from './plain.ts';

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
