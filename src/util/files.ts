import { closeSync, constants, openSync, readSync } from 'node:fs';
import { errnoOf } from './errors.ts';

const CHUNK_BYTES = 16 * 1024;

/**
 * Reads a file of at most `maxBytes`. The limit applies to the bytes read, since the size that a file reports may be wrong.
 *
 * @throws the errno error of the system call that failed
 */
export const readCapped = (path: string, maxBytes: number): Buffer | 'too-large' => {
  // Non-blocking: a pipe in place of the file would block the process forever.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const chunks: Buffer[] = [];
    let length = 0;
    for (;;) {
      const chunk = Buffer.alloc(CHUNK_BYTES);
      const bytesRead = readSync(file, chunk);
      if (bytesRead === 0) return Buffer.concat(chunks, length);
      length += bytesRead;
      if (length > maxBytes) return 'too-large';
      chunks.push(chunk.subarray(0, bytesRead));
    }
  } finally {
    closeSync(file);
  }
};

/**
 * Makes a file system call and returns null when the file does not exist, or the call fails with one of `alsoAbsent`.
 *
 * @throws FileError `unreadable: NAME ERRNO` for any other failure
 */
export const nullIfMissing = <T>(name: string, call: () => T, alsoAbsent: readonly string[] = []): T | null => {
  try {
    return call();
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR' || alsoAbsent.includes(errno)) return null;
    throw new FileError(`unreadable: ${name} ${errno}`, { cause: error });
  }
};

/** A file exists and cannot be read. The message becomes the `problem` of a volume snapshot. */
export class FileError extends Error {
  override readonly name = 'FileError';
}
