import { readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { env } from 'node:process';

const entriesOf = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder);
  } catch {
    // A folder of PATH that does not exist.
    return [];
  }
};

/** The path of a program on PATH, or in one of these folders; null where it is not installed. */
export const installedTool = (name: string, folders: readonly string[] = []): string | null => {
  const found = [...(env['PATH'] ?? '').split(delimiter), ...folders].find((folder) =>
    entriesOf(folder).includes(name),
  );
  return found === undefined ? null : join(found, name);
};

/** The Go toolchain that is installed, on PATH or where Debian puts it; null where there is none. */
export const goBinary = (): string | null => {
  const versions = entriesOf('/usr/lib').filter((entry) => entry.startsWith('go-'));
  return installedTool(
    'go',
    versions.map((entry) => join('/usr/lib', entry, 'bin')),
  );
};
