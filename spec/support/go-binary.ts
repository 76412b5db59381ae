import { readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { env } from 'node:process';

/** The Go toolchain that is installed, on PATH or where Debian puts it; null where there is none. */
export const goBinary = (): string | null => {
  const versions = (() => {
    try {
      return readdirSync('/usr/lib').filter((entry) => entry.startsWith('go-'));
    } catch {
      return [];
    }
  })();
  const folders = [...(env['PATH'] ?? '').split(delimiter), ...versions.map((entry) => join('/usr/lib', entry, 'bin'))];
  for (const folder of folders) {
    try {
      if (readdirSync(folder).includes('go')) return join(folder, 'go');
    } catch {
      // A folder of PATH that does not exist.
    }
  }
  return null;
};
