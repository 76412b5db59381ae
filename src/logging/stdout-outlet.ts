import { fstatSync, writeSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { isatty } from 'node:tty';
import type { TextOutlet } from './line-sink.ts';

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
export const stdoutOutlet = (stream: () => Writable): TextOutlet =>
  isFileOrDevice() ? fileOutlet() : streamOutlet(stream());
