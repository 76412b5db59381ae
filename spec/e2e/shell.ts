import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { delimiter, join } from 'node:path';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** A reader at the shell: kubectl is that of PATH, webhook-certd that of this repository. */
export interface Shell extends AsyncDisposable {
  /** The working directory. */
  readonly path: string;
  /** Runs commands; rejects with everything that they printed unless each of them ended with 0. */
  run(commands: string): Promise<string>;
}

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');

export const openShell = async (): Promise<Shell> => {
  const [work, programs] = [await temporaryDirectory(), await temporaryDirectory()];
  await programs.write('webhook-certd', `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`, 0o700);
  const env = { ...process.env, PATH: [programs.path, process.env['PATH']].join(delimiter) };
  return {
    path: work.path,
    run: async (commands) => {
      const child = spawn('bash', ['-euo', 'pipefail', '-c', commands], { cwd: work.path, env });
      let [stdout, all] = ['', ''];
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        stdout += text;
        all += text;
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => (all += text));
      child.stdin.end();
      const [code] = (await once(child, 'close')) as [number | null];
      if (code !== 0) throw new Error(`${commands}\nended with ${code}:\n${all}`);
      return stdout;
    },
    [Symbol.asyncDispose]: async () => {
      await work[Symbol.asyncDispose]();
      await programs[Symbol.asyncDispose]();
    },
  };
};
