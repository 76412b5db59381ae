import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Runs the `openssl` command and returns what it printed; rejects when it fails. */
export const openssl = async (...args: readonly string[]): Promise<string> =>
  (await run('openssl', args, { encoding: 'utf8' })).stdout;
