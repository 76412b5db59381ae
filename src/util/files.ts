import { closeSync, constants, openSync, readSync } from 'node:fs';
import { errnoOf } from './errors.ts';

const CHUNK_BYTES = 16 * 1024;

/**
 * The bytes of a file, unless it has more than `maxBytes`. What the file's size claims to be does not matter.
 *
 * @throws the errno error of the system call that failed
 */
export const readCapped = (path: string, maxBytes: number): Buffer | 'too-large' => {
  // Non-blocking, so that a pipe put in the file's place cannot hold us for ever.
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
 * Makes a file system call; null when what it is about does not exist (or when it fails with one of `alsoAbsent`).
 *
 * @throws FileProblem `unreadable: NAME ERRNO` for any other failure
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

/** Something is there and cannot be read; the message becomes the problem of a mount reading. */
export class FileError extends Error {
  override readonly name = 'FileProblem';
}
