import { readlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { FileProblem } from './file-problem.ts';
import { mountedFile } from './mounted-file.ts';
import { unlessAbsent } from './unless-absent.ts';

/** tls.crt, tls.key and ca.crt as bytes; null where there is no such file. */
export interface MountedBytes {
  readonly certificate: Buffer | null;
  readonly key: Buffer | null;
  readonly trust: Buffer | null;
}

/** One look at the directory. */
export type Look =
  /** The identity is null while its timestamps are too young to be believed. */
  | { readonly type: 'read'; readonly bytes: MountedBytes; readonly identity: string | null }
  | { readonly type: 'unmoved' }
  /** Somebody was writing meanwhile: look again. */
  | { readonly type: 'torn' }
  | { readonly type: 'failed'; readonly problem: string };

export interface Glance {
  /** The identity of an earlier look; while it holds, no file is opened. */
  readonly believed: string | null;
  readonly nowMs: number;
}

/** A file can change again within one tick of its timestamps: 4 ms on ext4, 2 s on FAT. */
const SETTLED_MS = 2_000;

/** The name of the generation directory; null where there is no link (EINVAL: `..data` is something else). */
const generationIn = (directory: string): string | null =>
  unlessAbsent('..data', () => readlinkSync(join(directory, '..data')), ['EINVAL']);

const sameBytes = (left: Buffer | null, right: Buffer | null): boolean =>
  left === null || right === null ? left === right : left.equals(right);

const lookBelow = (base: string, generation: string | null, { believed, nowMs }: Glance): Look => {
  const [crt, key, ca] = (['tls.crt', 'tls.key', 'ca.crt'] as const).map((name) => mountedFile(join(base, name), name));
  if (crt === undefined || key === undefined || ca === undefined) return { type: 'torn' };

  const identify = () => {
    const seen = [crt.identity(), key.identity(), ca.identity()];
    return {
      text: [generation ?? '', ...seen.map(({ text }) => text)].join('|'),
      changedMs: Math.max(...seen.map(({ changedMs }) => changedMs)),
    };
  };

  const before = identify();
  if (before.text === believed) return { type: 'unmoved' };

  const bytes = { certificate: crt.bytes(), key: key.bytes(), trust: ca.bytes() };
  const certificateAgain = crt.bytes();
  const after = identify();
  if (before.text !== after.text || !sameBytes(bytes.certificate, certificateAgain)) return { type: 'torn' };
  return { type: 'read', bytes, identity: nowMs - before.changedMs > SETTLED_MS ? before.text : null };
};

const orFailed = (look: () => Look): Look => {
  try {
    return look();
  } catch (error) {
    if (error instanceof FileProblem) return { type: 'failed', problem: error.message };
    throw error;
  }
};

/**
 * Reads the three files of one generation. A kubelet's volume is read below the directory that `..data` named at the
 * start, and counts only when it still names it at the end; a plain directory counts when nothing changed meanwhile,
 * which cannot tell two files that a slow writer left half done: the key then does not match.
 *
 * By calls that block: a Secret is mounted in memory, where five of them take 20 µs. Through Node's thread pool each would
 * wake two threads, 300 times a minute while nothing moves.
 */
export const lookAtMount = (directory: string, glance: Glance): Look =>
  orFailed(() => {
    const generation = generationIn(directory);
    const base = generation === null ? directory : resolve(directory, generation);
    const look = orFailed(() => lookBelow(base, generation, glance));
    // The kubelet removes the old generation after the swap, so absence and errors are to be doubted as well.
    return generationIn(directory) === generation ? look : { type: 'torn' };
  });
