import type { Entry } from './entry.ts';

const own = new Set(['level', 'time', 'message']);

/** One line of JSON: level, time, message, then the fields as given. A field named like one of those three gets a `_`. */
export function jsonLine({ level, timeMs, message, fields }: Entry): string {
  const given = Array.from(fields, ([key, value]) => [own.has(key) ? `_${key}` : key, value] as const);
  return JSON.stringify({ level, time: new Date(timeMs).toISOString(), message, ...Object.fromEntries(given) });
}
