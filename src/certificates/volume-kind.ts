import { readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../util/errors.ts';

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
