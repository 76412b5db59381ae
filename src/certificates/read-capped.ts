import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

const CHUNK_BYTES = 64 * 1024;

/**
 * The bytes of a file, unless it has more than `maxBytes`. What the file's size claims to be does not matter.
 *
 * @throws the errno error of the system call that failed
 */
export const readCapped = async (path: string, maxBytes: number): Promise<Buffer | 'too-large'> => {
  // Non-blocking, so that a pipe put in the file's place cannot hold a thread of the pool for ever.
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const chunks: Buffer[] = [];
  let length = 0;
  for (;;) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, null);
    if (bytesRead === 0) return Buffer.concat(chunks, length);
    length += bytesRead;
    if (length > maxBytes) return 'too-large';
    chunks.push(buffer.subarray(0, bytesRead));
  }
};
