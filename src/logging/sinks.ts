import { fstatSync, writeSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { isatty, type WriteStream } from 'node:tty';
import { createLogger, type Logger } from './logger.ts';
import type { LogLevel } from './plain.ts';

/** A way out for text that may fail, and may work again later: a full disk, a reader that has gone or does not read. */
interface TextOutlet {
  /** Writes at once, or throws. */
  write(text: string): void;
  /** Bytes written that nobody has taken yet. */
  waitingBytes(): number;
}

/** What is kept for a slow reader. More would be the webhook's memory against somebody else's trouble. */
const MOST_WAITING_BYTES = 4 * 1024 * 1024;

/**
 * Writes lines and never throws: a webhook does not end because nobody hears it. A line that cannot be written is lost.
 *
 * @param onRestored told, after the first line that got through again, how many lines were lost before it
 */
export const lineSink = (outlet: TextOutlet, onRestored: (lostLines: number) => void): ((line: string) => void) => {
  let lostLines = 0;
  const isWritten = (line: string): boolean => {
    if (outlet.waitingBytes() > MOST_WAITING_BYTES) return false;
    try {
      outlet.write(`${line}\n`);
      return true;
    } catch {
      return false;
    }
  };
  return (line) => {
    if (!isWritten(line)) {
      lostLines += 1;
      return;
    }
    if (lostLines === 0) return;
    const lost = lostLines;
    lostLines = 0;
    onRestored(lost);
  };
};

const STDOUT = 1;

const isFileOrDevice = (): boolean => {
  const stats = fstatSync(STDOUT);
  return stats.isFile() || (stats.isCharacterDevice() && !isatty(STDOUT));
};

/** Each write is tried afresh, so that a disk which has room again is written to again. */
const fileOutlet = (): TextOutlet => {
  let torn = false;
  return {
    write: (text) => {
      const bytes = Buffer.from(torn ? `\n${text}` : text);
      const written = writeSync(STDOUT, bytes);
      torn = written < bytes.length;
      if (torn) throw new Error('written in part');
    },
    waitingBytes: () => 0,
  };
};

const streamOutlet = (stream: Writable): TextOutlet => {
  let broken: Error | null = null;
  // An error without a listener ends the process.
  stream.on('error', (error) => (broken = error));
  return {
    write: (text) => {
      if (broken !== null) throw broken;
      stream.write(text);
    },
    waitingBytes: () => stream.writableLength,
  };
};

/**
 * Standard output as it is: a file is written to directly, since Node's stream for one is over after the first error
 * (a full disk, say); a pipe or a terminal by Node's stream, which does not block on a reader that is slow.
 *
 * @param stream Node's stream for it, asked for only when it is needed
 */
const stdoutOutlet = (stream: () => Writable): TextOutlet => (isFileOrDevice() ? fileOutlet() : streamOutlet(stream()));

/** @param stdout asked for when there is something to write, since a stream of it is not always needed */
export const openLogger = (
  { logLevel, logFormat }: { readonly logLevel: LogLevel; readonly logFormat: 'json' | 'pretty' },
  stdout: () => WriteStream,
): Logger => {
  const colours = logFormat === 'pretty' && stdout().isTTY;
  const write = lineSink(stdoutOutlet(stdout), (lines) =>
    logger.warn('Log lines were lost, they could not be written', { lines }),
  );
  const logger = createLogger({ level: logLevel, format: logFormat, colours, write });
  return logger;
};
