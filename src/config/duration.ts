import { durationText } from './duration-text.ts';
import { parsed, type Schema } from './parsed.ts';

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
export function duration({ fromMs, toMs, note, wholeSeconds = false }: Limits): Schema<number> {
  const range = `from ${durationText(fromMs)} to ${durationText(toMs)}${note === undefined ? '' : ` (${note})`}`;
  const kind = wholeSeconds ? 'a duration of whole seconds' : 'a duration';
  return parsed(`${kind} ${range}, like 500ms, 2s, 5m, 720h, 30d or, in seconds, a bare number`, (text) => {
    const parts = /^(?<count>\d+)(?<unit>ms|s|m|h|d)?$/.exec(text)?.groups;
    if (parts === undefined) return undefined;
    const durationMs = Number(parts['count']) * unitMs[(parts['unit'] ?? 's') as keyof typeof unitMs];
    if (durationMs < fromMs || durationMs > toMs) return undefined;
    return wholeSeconds && durationMs % 1000 !== 0 ? undefined : durationMs;
  });
}
