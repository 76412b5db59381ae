import { createHash } from 'node:crypto';
import type { MountedBytes } from './look-at-mount.ts';

/** One hash over the three files, each preceded by its length so that no byte can wander from one to the next. */
export const mountGeneration = ({ certificate, key, trust }: MountedBytes): string => {
  const hash = createHash('sha256');
  for (const bytes of [certificate, key, trust]) {
    hash.update(bytes === null ? 'absent;' : `${bytes.length};`);
    if (bytes !== null) hash.update(bytes);
  }
  return hash.digest('hex');
};
