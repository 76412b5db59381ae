import { statSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { FileProblem } from './file-problem.ts';
import { readCapped } from './read-capped.ts';
import { unlessAbsent } from './unless-absent.ts';

/** Another one whenever the file has been replaced or written to. */
export type FileState = Pick<BigIntStats, 'dev' | 'ino' | 'size' | 'mtimeNs' | 'ctimeNs'>;

export interface MountedFile {
  /** Null while absent. Errs with a {@link FileProblem}, as does `bytes`. */
  state(): FileState | null;
  bytes(): Buffer | null;
  /** Whether the state is still this one; false also when that cannot be told. */
  isStill(state: FileState | null): boolean;
}

/** A Secret holds 1 MiB at most (`MaxSecretSize` of the Kubernetes API), so no file of one is larger. */
const MAX_BYTES = 1024 * 1024;

/** An exception for each absent file would cost more than all the rest of a look. */
const STAT = { bigint: true, throwIfNoEntry: false } as const;

export const sameState = (left: FileState | null, right: FileState | null): boolean => {
  if (left === null || right === null) return left === right;
  return (
    left.ino === right.ino &&
    left.ctimeNs === right.ctimeNs &&
    left.mtimeNs === right.mtimeNs &&
    left.size === right.size &&
    left.dev === right.dev
  );
};

/** One file that may or may not be there; null stands for absent. */
export const mountedFile = (path: string, name: string): MountedFile => ({
  state() {
    const seen = unlessAbsent(name, () => statSync(path, STAT) ?? null);
    if (seen === null) return null;
    if (!seen.isFile()) throw new FileProblem(`not-a-file: ${name}`);
    if (seen.size > MAX_BYTES) throw new FileProblem(`too-large: ${name}`);
    return seen;
  },

  bytes() {
    const bytes = unlessAbsent(name, () => readCapped(path, MAX_BYTES));
    if (bytes === 'too-large') throw new FileProblem(`too-large: ${name}`);
    return bytes;
  },

  isStill(state) {
    try {
      return sameState(statSync(path, STAT) ?? null, state);
    } catch {
      return false;
    }
  },
});
