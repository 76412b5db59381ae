import { type BigIntStats, lstatSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { errnoOf } from '../util/errors.ts';
import { FileError, nullIfMissing, readCapped } from '../util/files.ts';

/**
 * - `projected`: the kubelet keeps it up to date (`..data`).
 * - `sub-path`: mounted with `subPath`, which the kubelet never updates.
 * - `plain`: an ordinary directory that another program writes.
 */
export type VolumeKind = 'projected' | 'sub-path' | 'plain' | 'absent';

const MOUNTINFO = '/proc/self/mountinfo';

/** mountinfo writes space, tab, newline and backslash as three octal digits. */
const unescaped = (path: string): string =>
  path.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/** A `subPath` of a kubelet volume is a bind mount out of the generation it was made in: `/..2026_01_31_…/…`. */
const GENERATION = /\/\.\.\d{4}_\d{2}_\d{2}_/;

/** Finds a subPath mount in `proc_pid_mountinfo(5)`: field 4 is the root within the source, field 5 the target. */
const isSubPath = (mountinfo: string, directory: string): boolean =>
  mountinfo.split('\n').some((line) => {
    const [, , , root = '', target = ''] = line.split(' ').map(unescaped);
    return target === join(directory, 'tls.crt') || (target === directory && GENERATION.test(root));
  });

const orNull = <T>(call: () => T): T | null => {
  try {
    return call();
  } catch {
    return null;
  }
};

/**
 * Detects what is mounted where the Secret should be. Uses blocking calls, as `readSecretVolume` does.
 *
 * @param readMountinfo reads `/proc/self/mountinfo`; where it is absent, mounts are unknown
 */
export const volumeKind = (
  directory: string,
  readMountinfo: () => string = () => readFileSync(MOUNTINFO, 'utf8'),
): VolumeKind => {
  let real: string;
  try {
    real = realpathSync.native(directory);
  } catch (error) {
    return ['ENOENT', 'ENOTDIR'].includes(errnoOf(error)) ? 'absent' : 'plain';
  }
  if (isSubPath(orNull(readMountinfo) ?? '', real)) return 'sub-path';
  return orNull(() => readlinkSync(join(real, '..data'))) === null ? 'plain' : 'projected';
};

/** tls.crt, tls.key and ca.crt as bytes; null where there is no such file. */
export interface MountedBytes {
  readonly certificate: Buffer | null;
  readonly key: Buffer | null;
  readonly trust: Buffer | null;
}

/** Result of one attempt to read the directory. */
export type VolumeRead =
  | {
      readonly type: 'read';
      readonly bytes: MountedBytes;
      /** Whether nothing has changed since, by a stat of each file; null while the files are too new for their timestamps to tell. */
      readonly isUnmoved: (() => boolean) | null;
    }
  /** The files changed during the read: read again. */
  | { readonly type: 'torn' }
  | { readonly type: 'failed'; readonly problem: string };

/** A file can change again within one tick of its timestamps: 4 ms on ext4, 2 s on FAT. */
const SETTLED_MS = 2_000;

/** Reads the name of the generation directory; null where there is no link (EINVAL: `..data` is not a link). */
const generationIn = (directory: string): string | null =>
  nullIfMissing('..data', () => readlinkSync(join(directory, '..data')), ['EINVAL']);

/** Compares the link with a known generation without exceptions, since every tick asks. */
const namesStill = (link: string, generation: string | null): boolean => {
  try {
    if (generation !== null) return readlinkSync(link) === generation;
    return lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() !== true;
  } catch {
    return false;
  }
};

const sameBytes = (left: Buffer | null, right: Buffer | null): boolean =>
  left === null || right === null ? left === right : left.equals(right);

const changedMs = (states: readonly (FileState | null)[]): number =>
  Math.max(...states.map((state) => (state === null ? 0 : Number(state.ctimeNs / 1_000_000n))));

const readBelow = (directory: string, generation: string | null, nowMs: number): VolumeRead => {
  const base = generation === null ? directory : resolve(directory, generation);
  const open = (name: string) => mountedFile(join(base, name), name);
  const [crt, key, ca] = [open('tls.crt'), open('tls.key'), open('ca.crt')];
  const files = [crt, key, ca];

  const before = files.map((file) => file.state());
  const bytes = { certificate: crt.bytes(), key: key.bytes(), trust: ca.bytes() };
  const certificateAgain = crt.bytes();
  const isWhole = files.every((file, at) => sameState(file.state(), before[at] ?? null));
  if (!isWhole || !sameBytes(bytes.certificate, certificateAgain)) return { type: 'torn' };

  const link = join(directory, '..data');
  const isUnmoved = (): boolean =>
    namesStill(link, generation) && files.every((file, at) => file.isStill(before[at] ?? null));
  return { type: 'read', bytes, isUnmoved: nowMs - changedMs(before) > SETTLED_MS ? isUnmoved : null };
};

const orFailed = (read: () => VolumeRead): VolumeRead => {
  try {
    return read();
  } catch (error) {
    if (error instanceof FileError) return { type: 'failed', problem: error.message };
    throw error;
  }
};

/**
 * Reads the three files of one generation (law F5). A kubelet's volume is read below the directory that `..data` named at
 * the start, and counts only if `..data` still names it at the end. A plain directory counts if nothing changed during the
 * read; a slow writer between two files goes unnoticed there, and the key then does not match.
 *
 * Uses blocking calls: a Secret is mounted in memory, where five of them take 20 µs. Through Node's thread pool each would
 * wake two threads, 300 times a minute while nothing changes.
 *
 * @param nowMs since the epoch: timestamps of the last two seconds prove nothing
 */
export const readSecretVolume = (directory: string, nowMs: number): VolumeRead =>
  orFailed(() => {
    const generation = generationIn(directory);
    const read = orFailed(() => readBelow(directory, generation, nowMs));
    // The kubelet removes the old generation after the swap, so absence and errors may be torn reads as well.
    return generationIn(directory) === generation ? read : { type: 'torn' };
  });

/** Identity of a file's content: differs whenever the file has been replaced or written to. */
type FileState = Pick<BigIntStats, 'dev' | 'ino' | 'size' | 'mtimeNs' | 'ctimeNs'>;

interface MountedFile {
  /** Null while absent. Errs with a {@link FileError}, as does `bytes`. */
  state(): FileState | null;
  bytes(): Buffer | null;
  /** Whether the state is still this one; false when unknown. */
  isStill(state: FileState | null): boolean;
}

/** A Secret holds 1 MiB at most (`MaxSecretSize` of the Kubernetes API), so no file of one is larger. */
const MAX_BYTES = 1024 * 1024;

/** Without exceptions: one for each absent file would cost more than the rest of a read. */
const STAT = { bigint: true, throwIfNoEntry: false } as const;

const sameState = (left: FileState | null, right: FileState | null): boolean => {
  if (left === null || right === null) return left === right;
  return (
    left.ino === right.ino &&
    left.ctimeNs === right.ctimeNs &&
    left.mtimeNs === right.mtimeNs &&
    left.size === right.size &&
    left.dev === right.dev
  );
};

/** Opens one file that may be absent, which null stands for. */
const mountedFile = (path: string, name: string): MountedFile => ({
  state() {
    const seen = nullIfMissing(name, () => statSync(path, STAT) ?? null);
    if (seen === null) return null;
    if (!seen.isFile()) throw new FileError(`not-a-file: ${name}`);
    if (seen.size > MAX_BYTES) throw new FileError(`too-large: ${name}`);
    return seen;
  },

  bytes() {
    const bytes = nullIfMissing(name, () => readCapped(path, MAX_BYTES));
    if (bytes === 'too-large') throw new FileError(`too-large: ${name}`);
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
