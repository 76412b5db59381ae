import type { IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Json } from './raw-api.ts';
import { waitLimit } from './until.ts';

export interface WatchLine {
  readonly type: string;
  readonly object: Readonly<Record<string, Json>>;
}

/** One watch connection: its lines in the order they came. */
export interface RawWatch extends Disposable {
  readonly status: number;
  readonly lines: readonly WatchLine[];
  /** The next line not taken yet; errs after 15 s, more on a loaded machine, or when the watch ends without one. */
  next(timeoutMs?: number): Promise<WatchLine>;
  /** Resolves with 'clean' or 'cut' once the server has ended it. */
  readonly ended: Promise<'clean' | 'cut'>;
}

/** Reads a watch response line by line. */
export const openWatch = (message: IncomingMessage): RawWatch => {
  const lines: WatchLine[] = [];
  let taken = 0;
  let isOver = false;
  let wake = Promise.withResolvers<undefined>();
  const stir = () => {
    wake.resolve(undefined);
    wake = Promise.withResolvers<undefined>();
  };
  const reader = createInterface({ input: message });
  // A cut connection is an end like any other here: `ended` tells which it was.
  reader.on('error', () => undefined);
  reader.on('line', (line) => {
    lines.push(JSON.parse(line) as WatchLine);
    stir();
  });
  const ended = new Promise<'clean' | 'cut'>((resolve) => {
    message.on('close', () => {
      isOver = true;
      stir();
      resolve(message.complete ? 'clean' : 'cut');
    });
  });
  const next = async (timeoutMs = 15_000): Promise<WatchLine> => {
    const limitMs = waitLimit(timeoutMs);
    const waiting = new AbortController();
    const late = sleep(limitMs, undefined, { ref: false, signal: waiting.signal }).then(() => {
      throw new Error(`no line within ${limitMs} ms`);
    });
    late.catch(() => undefined);
    try {
      while (lines[taken] === undefined) {
        if (isOver) throw new Error('the watch ended without another line');
        await Promise.race([wake.promise, late]);
      }
    } finally {
      waiting.abort();
    }
    taken += 1;
    return lines[taken - 1]!;
  };
  return {
    status: message.statusCode ?? 0,
    lines,
    next,
    ended,
    [Symbol.dispose]: () => {
      message.destroy();
    },
  };
};
