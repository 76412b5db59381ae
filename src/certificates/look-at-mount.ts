import { readlink } from 'node:fs/promises';
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
const generationIn = (directory: string): Promise<string | null> =>
  unlessAbsent('..data', () => readlink(join(directory, '..data')), ['EINVAL']);

const sameBytes = (left: Buffer | null, right: Buffer | null): boolean =>
  left === null || right === null ? left === right : left.equals(right);

const lookBelow = async (base: string, generation: string | null, { believed, nowMs }: Glance): Promise<Look> => {
  const [crt, key, ca] = (['tls.crt', 'tls.key', 'ca.crt'] as const).map((name) => mountedFile(join(base, name), name));
  if (crt === undefined || key === undefined || ca === undefined) return { type: 'torn' };

  const identify = async () => {
    const seen = await Promise.all([crt.identity(), key.identity(), ca.identity()]);
    return {
      text: [generation ?? '', ...seen.map(({ text }) => text)].join('|'),
      changedMs: Math.max(...seen.map(({ changedMs }) => changedMs)),
    };
  };

  const before = await identify();
  if (before.text === believed) return { type: 'unmoved' };

  const bytes = { certificate: await crt.bytes(), key: await key.bytes(), trust: await ca.bytes() };
  const certificateAgain = await crt.bytes();
  const after = await identify();
  if (before.text !== after.text || !sameBytes(bytes.certificate, certificateAgain)) return { type: 'torn' };
  return { type: 'read', bytes, identity: nowMs - before.changedMs > SETTLED_MS ? before.text : null };
};

/**
 * Reads the three files of one generation. A kubelet's volume is read below the directory that `..data` named at the
 * start, and counts only when it still names it at the end; a plain directory counts when nothing changed meanwhile,
 * which cannot tell two files that a slow writer left half done: the key then does not match.
 */
export const lookAtMount = async (directory: string, glance: Glance): Promise<Look> => {
  try {
    const generation = await generationIn(directory);
    const base = generation === null ? directory : resolve(directory, generation);
    const look = await lookBelow(base, generation, glance).catch((error: unknown): Look => {
      if (error instanceof FileProblem) return { type: 'failed', problem: error.message };
      throw error;
    });
    // The kubelet removes the old generation after the swap, so absence and errors are to be doubted as well.
    return (await generationIn(directory)) === generation ? look : { type: 'torn' };
  } catch (error) {
    if (error instanceof FileProblem) return { type: 'failed', problem: error.message };
    throw error;
  }
};
