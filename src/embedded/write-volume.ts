import { randomInt } from 'node:crypto';
import { mkdir, readFile, readdir, readlink, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a volume is to hold: file names and their bytes. */
export type Payload = ReadonlyMap<string, Uint8Array>;

const orMissing = (error: unknown): null => {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
  throw error;
};

const isThere = async (folder: string, payload: Payload): Promise<boolean> => {
  const names = await readdir(folder);
  if (names.length !== payload.size) return false;
  const same = [...payload].map(async ([name, bytes]) => {
    const found = await readFile(join(folder, name)).catch(orMissing);
    return found !== null && Buffer.compare(found, bytes) === 0;
  });
  return (await Promise.all(same)).every(Boolean);
};

/** As Go's `2006_01_02_15_04_05.` followed by TempDir's digits. */
const timestamp = () => `..${new Date().toISOString().slice(0, 19).replaceAll(/[-:T]/g, '_')}.${randomInt(1e9)}`;

/**
 * Brings a volume to a content step by step as the kubelet's AtomicWriter does: a new timestamped folder, a link for each
 * new file, then one rename of `..data`; only after that the stale links and the old folder go. Files are 0644.
 * Returns false when the volume held just that already and nothing was touched.
 */
export const writeVolume = async (directory: string, payload: Payload): Promise<boolean> => {
  await mkdir(directory, { recursive: true });
  const current = await readlink(join(directory, '..data')).catch(orMissing);
  if (current !== null && (await isThere(join(directory, current), payload))) return false;
  const stale = current === null ? [] : (await readdir(join(directory, current))).filter((name) => !payload.has(name));

  const fresh = timestamp();
  await mkdir(join(directory, fresh), { mode: 0o755 });
  for (const [name, bytes] of payload) await writeFile(join(directory, fresh, name), bytes, { mode: 0o644 });
  for (const name of payload.keys()) {
    const link = join(directory, name);
    if ((await readlink(link).catch(orMissing)) === null) await symlink(join('..data', name), link);
  }
  await symlink(fresh, join(directory, '..data_tmp'));
  await rename(join(directory, '..data_tmp'), join(directory, '..data'));
  for (const name of stale) await unlink(join(directory, name));
  if (current !== null) await rm(join(directory, current), { recursive: true });
  return true;
};
