import { fstatSync, writeSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { isatty, type WriteStream } from 'node:tty';
import { createLogger, type Logger } from './logger.ts';
import type { LogLevel } from './plain.ts';

/** An output that may fail and may recover later, for example a full disk, or a pipe whose reader is gone or slow. */
interface TextOutput {
  /** Writes immediately, or throws. */
  write(text: string): void;
  /** Bytes buffered in this process. */
  bufferedBytes(): number;
}

/** Limit of what is buffered for a slow reader, so that it cannot exhaust the memory of the webhook. */
const MAX_BUFFERED_BYTES = 4 * 1024 * 1024;

/**
 * Writes lines and never throws, since a webhook must not end because its log cannot be written. A line that cannot be
 * written is lost.
 *
 * @param onRestored called after the first line written again, with the number of lines lost before it
 */
export const lineSink = (output: TextOutput, onRestored: (lostLines: number) => void): ((line: string) => void) => {
  let lostLines = 0;
  const isWritten = (line: string): boolean => {
    if (output.bufferedBytes() > MAX_BUFFERED_BYTES) return false;
    try {
      output.write(`${line}\n`);
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

/** Each write is a new attempt, so that writing resumes once a full disk has space again. */
const fileOutput = (): TextOutput => {
  let isIncomplete = false;
  return {
    write: (text) => {
      const bytes = Buffer.from(isIncomplete ? `\n${text}` : text);
      const written = writeSync(STDOUT, bytes);
      isIncomplete = written < bytes.length;
      if (isIncomplete) throw new Error('the line was written in part');
    },
    bufferedBytes: () => 0,
  };
};

const streamOutput = (stream: Writable): TextOutput => {
  let failure: Error | null = null;
  // An error without a listener ends the process.
  stream.on('error', (error) => (failure = error));
  return {
    write: (text) => {
      if (failure !== null) throw failure;
      stream.write(text);
    },
    bufferedBytes: () => stream.writableLength,
  };
};

/**
 * The output for stdout. A file is written directly, since Node's stream ends after the first error, such as a full disk; a
 * pipe or a terminal through Node's stream, which does not block on a slow reader.
 *
 * @param stream returns Node's stream for stdout; called only when it is needed
 */
const stdoutOutput = (stream: () => Writable): TextOutput => (isFileOrDevice() ? fileOutput() : streamOutput(stream()));

/**
 * Opens the logger on stdout.
 *
 * @param stdout returns Node's stream for stdout; called only when it is needed
 */
export const openLogger = (
  { logLevel, logFormat }: { readonly logLevel: LogLevel; readonly logFormat: 'json' | 'pretty' },
  stdout: () => WriteStream,
): Logger => {
  const colours = logFormat === 'pretty' && stdout().isTTY;
  const write = lineSink(stdoutOutput(stdout), (lines) =>
    logger.warn('Log lines were lost, they could not be written', { lines, event: 'log-lines-lost' }),
  );
  const logger = createLogger({ level: logLevel, format: logFormat, colours, write });
  return logger;
};
