import { execFile } from 'node:child_process';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * As the image is built: runs the demo, whose replicas load and serve, and keeps what V8 made of the bundle meanwhile in one
 * that does not lead. What a rotation takes is not in it: days after a start, V8 has thrown that away.
 *
 * @param folder holds `webhook-certd.js` and `start.cjs`
 * @param nodeFlags those that it will be started with: V8 takes no cache that was made under others
 * @throws Error when the demo failed or left nothing
 */
export const fillCodeCache = async (folder: string, nodeFlags: readonly string[]): Promise<void> => {
  const cache = join(folder, 'webhook-certd.cache');
  await writeFile(cache, '');
  const demo = [join(folder, 'start.cjs'), 'demo', '--rotations', '0'];
  await run(process.execPath, [...nodeFlags, ...demo], { timeout: 120_000 });
  if ((await stat(cache)).size === 0) throw new Error(`no replica has written ${cache}`);
};
