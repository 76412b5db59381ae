import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { build, buildStart } from '../support/build.ts';
import { fillCodeCache } from '../support/fill-code-cache.ts';
import { entrypoint, type Production } from './production.ts';

const root = join(import.meta.dirname, '..', '..');

const newestMs = async (folder: string): Promise<number> => {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Math.max(...(await Promise.all(files.map(async (file) => (await stat(file)).mtimeMs))));
};

/** The production bundle as the image starts it, built when it is absent or older than what it is made of. */
export const bundle = async (): Promise<Production> => {
  const folder = join(root, 'dist');
  const program = join(folder, 'webhook-certd.js');
  const writtenMs = async (file: string) => (await stat(join(folder, file)).catch(() => null))?.mtimeMs ?? 0;
  const files = ['package-lock.json', 'spec/support/build.ts'];
  const sources = await Promise.all([
    newestMs('src'),
    newestMs('streams'),
    ...files.map(async (file) => (await stat(join(root, file))).mtimeMs),
  ]);
  const isStale = (await writtenMs('start.cjs')) < Math.max(...sources);
  if (isStale) {
    await build({ entry: join(root, 'src', 'main.ts'), outfile: program, sourcemap: false });
    await buildStart(folder);
  }
  const nodeFlags = entrypoint().slice(1, -1);
  const madeMs = Math.max(await writtenMs('start.cjs'), (await stat(join(root, 'Dockerfile'))).mtimeMs);
  if ((await writtenMs('webhook-certd.cache')) < madeMs) await fillCodeCache(folder, nodeFlags);
  return { script: join(folder, 'start.cjs'), nodeFlags };
};
