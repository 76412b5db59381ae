import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { kubeconfig } from '../kube/kubeconfig.ts';
import { program } from '../support/program.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

/** Runs its argument on a terminal of its own; of util-linux, other systems have another one. */
const TERMINAL = '/usr/bin/script';
const ON_LINUX = process.platform === 'linux' && existsSync(TERMINAL);

describe('check colours what it prints on a terminal', () => {
  let home: TemporaryDirectory;
  before(async () => {
    home = await temporaryDirectory();
    await home.write('config', kubeconfig({ server: 'https://127.0.0.1:1', user: { token: 't' } }));
  });
  after(() => home[Symbol.asyncDispose]());

  const check = async (env: Readonly<Record<string, string>>): Promise<string> => {
    const command = `'${process.execPath}' '${program()}' check --kubeconfig '${join(home.path, 'config')}'; true`;
    const args = ['--quiet', '--command', command, '/dev/null'];
    const ran = await promisify(execFile)(TERMINAL, args, { env: { PATH: process.env['PATH'], ...env } });
    expect(ran.stdout).to.include('API server answers');
    return ran.stdout;
  };

  if (ON_LINUX) {
    it('a finding is red', async () => {
      expect(await check({})).to.include('\u001B[31m✘');
    });

    it('with NO_COLOR, nothing is coloured', async () => {
      expect(await check({ NO_COLOR: '1' })).not.to.include('\u001B');
    });
  }
});
