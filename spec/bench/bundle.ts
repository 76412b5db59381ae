import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from '../support/build.ts';

const root = join(import.meta.dirname, '..', '..');

const newestMs = async (folder: string): Promise<number> => {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Math.max(...(await Promise.all(files.map(async (file) => (await stat(file)).mtimeMs))));
};

/** The path of the production bundle, built when it is absent or older than what it is made of. */
export const bundle = async (): Promise<string> => {
  const outfile = join(root, 'dist', 'webhook-certd.js');
  const builtMs = (await stat(outfile).catch(() => null))?.mtimeMs ?? 0;
  const files = ['package-lock.json', 'spec/support/build.ts'];
  const sources = await Promise.all([
    newestMs('src'),
    newestMs('streams'),
    ...files.map(async (file) => (await stat(join(root, file))).mtimeMs),
  ]);
  if (builtMs < Math.max(...sources)) {
    await mkdir(join(root, 'dist'), { recursive: true });
    await build({ entry: join(root, 'src', 'main.ts'), outfile, sourcemap: false });
  }
  return outfile;
};
