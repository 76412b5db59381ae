import { execFile } from 'node:child_process';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from '../support/build.ts';
import { ownPorts } from './own-ports.ts';

const run = promisify(execFile);

const root = join(import.meta.dirname, '..', '..');

const newestMs = async (folder: string): Promise<number> => {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Math.max(...(await Promise.all(files.map(async (file) => (await stat(file)).mtimeMs))));
};

/** As in the image: where V8 keeps what it has made of the bundle, filled by a replica that nobody announces anything to. */
const fillCompileCache = async (program: string, cache: string): Promise<void> => {
  await rm(cache, { recursive: true, force: true });
  const env = {
    NODE_COMPILE_CACHE: cache,
    KUBERNETES_SERVICE_HOST: '127.0.0.1',
    POD_NAMESPACE: 'build',
    WEBHOOK_HANDLER: 'builtin:allow',
    CERT_TIMEOUT: '1s',
    ...ownPorts(0),
  };
  // It ends with 1, as nothing was announced in time.
  await run(process.execPath, [program, 'serve'], { env }).catch(() => undefined);
};

export interface Bundle {
  readonly program: string;
  /** For NODE_COMPILE_CACHE, as in the image. */
  readonly compileCache: string;
}

/** The production bundle, built when it is absent or older than what it is made of. */
export const bundle = async (): Promise<Bundle> => {
  const program = join(root, 'dist', 'webhook-certd.js');
  const compileCache = join(root, 'dist', 'compile-cache');
  const builtMs = (await stat(program).catch(() => null))?.mtimeMs ?? 0;
  const filledMs = (await stat(compileCache).catch(() => null))?.mtimeMs ?? 0;
  const files = ['package-lock.json', 'spec/support/build.ts'];
  const sources = await Promise.all([
    newestMs('src'),
    newestMs('streams'),
    ...files.map(async (file) => (await stat(join(root, file))).mtimeMs),
  ]);
  const isStale = builtMs < Math.max(...sources);
  if (isStale) await build({ entry: join(root, 'src', 'main.ts'), outfile: program, sourcemap: false });
  if (isStale || filledMs < builtMs) await fillCompileCache(program, compileCache);
  return { program, compileCache };
};
