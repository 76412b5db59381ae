import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { commands } from '../../src/config/commands.ts';
import { completionScript } from '../../src/config/completion.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

type Shell = (typeof commands.completion.choices)[number];

/** How each shell tells what it would offer for the last of these words. */
const asked: Readonly<Record<Shell, (script: string, words: readonly string[]) => string>> = {
  bash: (script, words) =>
    [
      `source ${script}`,
      `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}`,
      '_webhook_certd; printf "%s\\n" "${COMPREPLY[@]}"',
    ].join('\n'),
  // The widgets of a terminal are replaced by what they are given.
  zsh: (script, words) =>
    [
      'compdef() { :; }; _files() { print FILES; }; compadd() { shift; print -l -- $@; }',
      '_describe() { local name=${@[-1]}; print -l -- ${${(P)name}%%:*}; }',
      `source ${script}`,
      `words=(${words.map((word) => `'${word}'`).join(' ')}); CURRENT=${words.length}`,
      '_webhook_certd',
    ].join('\n'),
  fish: (script, words) => `source ${script}; complete -C '${words.join(' ')}'`,
};

const isInstalled = (shell: Shell): boolean => spawnSync(shell, ['-c', 'true']).status === 0;

for (const shell of commands.completion.choices.filter(isInstalled))
  describe(`the completion of ${shell}`, function () {
    this.timeout(20_000);
    let folder: TemporaryDirectory;
    let script: string;
    before(async () => {
      folder = await temporaryDirectory();
      script = join(folder.path, 'completion');
      await writeFile(script, `${completionScript(shell)}\n`);
    });
    after(() => folder[Symbol.asyncDispose]());

    const offered = (...words: readonly string[]): readonly string[] => {
      const line = asked[shell](script, ['webhook-certd', ...words]);
      const startless = { bash: ['--noprofile', '--norc'], zsh: ['-f'], fish: ['--no-config'] }[shell];
      const { stdout, stderr, status } = spawnSync(shell, [...startless, '-c', line], {
        encoding: 'utf8',
        env: { PATH: process.env['PATH'] ?? '', HOME: folder.path },
        cwd: folder.path,
      });
      expect(status, stderr).to.equal(0);
      expect(stderr).to.equal('');
      const current = words.at(-1) ?? '';
      // fish prints what a word means behind a tab; zsh leaves it to compadd which ones begin like the word.
      return stdout
        .split('\n')
        .map((each) => each.split('\t')[0] ?? '')
        .filter((each) => each !== '' && (each === 'FILES' || each.startsWith(current)));
    };

    it('offers every command', () => {
      expect(offered('')).to.have.members(Object.keys(commands));
      expect(offered('ch')).to.deep.equal(['check']);
    });

    it('offers the flags of the command that is typed, and of no other', () => {
      expect(offered('rotate', '--no')).to.deep.equal(['--no-wait']);
      expect(offered('check', '--no')).to.deep.equal([]);
      expect(offered('check', '--con')).to.deep.equal(['--context']);
      expect(offered('check', '--lease-n')).to.deep.equal(['--lease-name']);
      expect(offered('demo', '--lease-n')).to.deep.equal([]);
    });

    it('offers the values of a flag, and files for a path alone', () => {
      expect(offered('check', '--output', '')).to.have.members(['text', 'json']);
      expect(offered('check', '-o', 'js')).to.deep.equal(['json']);
      expect(offered('serve', '--key-algorithm', 'ecdsa')).to.have.members(['ecdsa-p256', 'ecdsa-p384']);
      expect(offered('check', '--namespace', 'c')).to.deep.equal([]);
      expect(offered('check', '--kubeconfig', 'comp')).to.deep.equal([shell === 'zsh' ? 'FILES' : 'completion']);
    });

    it('offers the argument of a command', () => {
      expect(offered('completion', '')).to.include.members(['bash', 'zsh', 'fish']);
      expect(offered('completion', 'z')).to.deep.equal(['zsh']);
    });
  });
