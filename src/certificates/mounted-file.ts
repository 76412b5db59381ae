import { statSync } from 'node:fs';
import { FileProblem } from './file-problem.ts';
import { readCapped } from './read-capped.ts';
import { unlessAbsent } from './unless-absent.ts';

export interface FileIdentity {
  /** Another text whenever the file has been replaced or written to; the same one for as long as it is absent. */
  readonly text: string;
  /** When it was last changed, ms since the epoch; 0 while absent. */
  readonly changedMs: number;
}

export interface MountedFile {
  /** Errs with a {@link FileProblem}, as do all of these. */
  identity(): FileIdentity;
  bytes(): Buffer | null;
}

/** A Secret holds 1 MiB at most (`MaxSecretSize` of the Kubernetes API), so no file of one is larger. */
const MAX_BYTES = 1024 * 1024;

/** One file that may or may not be there; null and `-` stand for absent. */
export const mountedFile = (path: string, name: string): MountedFile => ({
  identity() {
    const seen = unlessAbsent(name, () => statSync(path, { bigint: true }));
    if (seen === null) return { text: '-', changedMs: 0 };
    if (!seen.isFile()) throw new FileProblem(`not-a-file: ${name}`);
    if (seen.size > MAX_BYTES) throw new FileProblem(`too-large: ${name}`);
    const { dev, ino, size, mtimeNs, ctimeNs } = seen;
    return { text: [dev, ino, size, mtimeNs, ctimeNs].join(':'), changedMs: Number(ctimeNs / 1_000_000n) };
  },

  bytes() {
    const bytes = unlessAbsent(name, () => readCapped(path, MAX_BYTES));
    if (bytes === 'too-large') throw new FileProblem(`too-large: ${name}`);
    return bytes;
  },
});
