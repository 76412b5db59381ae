import { expect } from 'chai';
import { commands } from '../../src/config/commands.ts';
import { completionScript, isShell } from '../../src/config/completion.ts';
import { settings } from '../../src/config/variables.ts';

const linesOf = (shell: 'bash' | 'zsh' | 'fish'): readonly string[] => completionScript(shell).split('\n');

const NAMES = 'serve check rotate manifests init try demo completion version';
const TRY_FLAGS = '--operation --old --path --user --json --help -h';
const PATHS =
  '--kubeconfig|--cert-dir|--webhook-handler|--client-ca-file|--html|--metrics-file|--old|--handler|--review';
const HELP = 'print the help text of the command';
/** The value of each flag that takes one of several words. */
const CHOICES = [
  ['--kubelet-nudge|--leader-election', 'true false'],
  ['--cert-issuer|--issuer', 'self-signed external relay'],
  ['--key-algorithm', 'ecdsa-p256 ecdsa-p384 rsa-2048 rsa-3072 rsa-4096'],
  ['--tls-min-version', '1.3 1.2'],
  ['--log-level', 'debug info warn error'],
  ['--log-format', 'json pretty'],
  ['--dial', 'auto direct port-forward'],
  ['--output|-o', 'text json'],
  ['--mode', 'handler upstream serving'],
  ['--operation', 'create update delete'],
] as const;

/** The flags whose values nobody can list, as one pattern. */
const unlisted = (lines: readonly string[]): readonly string[] =>
  lines.filter((line) => line.endsWith(') return ;;')).map((line) => line.trim());

describe('the completion script of bash', () => {
  const lines = linesOf('bash');

  it('is a function that is registered for the program', () => {
    expect(lines.slice(0, 8)).to.deep.equal([
      '_webhook_certd() {',
      '  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command= word',
      '  # Bash breaks words at the equals sign, too.',
      '  if [[ $current == = ]]; then current=; elif [[ $previous == = ]]; then previous=${COMP_WORDS[COMP_CWORD-2]}; fi',
      '  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
      `    case $word in ${NAMES.replaceAll(' ', '|')}) command=$word; break ;; esac`,
      '  done',
      '  case $previous in',
    ]);
    expect(lines.slice(-3)).to.deep.equal(['  esac', '}', 'complete -F _webhook_certd webhook-certd']);
  });

  it('offers the words that a flag accepts, files for a path, and nothing for any other value', () => {
    for (const [flags, words] of CHOICES)
      expect(lines).to.include(`    ${flags}) COMPREPLY=($(compgen -W '${words}' -- "$current")); return ;;`);
    expect(lines).to.include(`    ${PATHS}) COMPREPLY=($(compgen -f -- "$current")); return ;;`);
    const [others = '', ...more] = unlisted(lines);
    expect(more).to.deep.equal([]);
    expect(others)
      .to.match(/^--name\|--pod-namespace\|/)
      .and.include('|--namespace|-n|')
      .and.include('|--warn-before|');
    expect(others).to.not.match(/--json|--help|--no-wait|--output|--kubeconfig/);
  });

  it('offers commands, and after one of them its flags and its words', () => {
    const offer = (pattern: string, words: string) =>
      `    ${pattern}) COMPREPLY=($(compgen -W '${words}' -- "$current")) ;;`;
    expect(lines).to.include('  case $command:$current in');
    expect(lines).to.include(offer(':*', NAMES));
    expect(lines).to.include(offer('try:-*', TRY_FLAGS));
    expect(lines).to.include(offer('version:-*', '--help -h'));
    expect(lines).to.include(offer('completion:*', 'bash zsh fish'));
    expect(lines.filter((line) => /^ {4}\w+:\*\)/.test(line))).to.have.lengthOf(1);
    const variables = settings.map(([, { flag }]) => `--${flag}`).join(' ');
    expect(lines).to.include(offer('serve:-*|:-*', `${variables} --help -h`));
    expect(lines.find((line) => line.startsWith('    rotate:-*)'))).to.include(
      `'--ca --timeout --no-wait --namespace -n --context --output -o --json ${variables} --help -h'`,
    );
    expect(lines.filter((line) => line.includes(':-*) '))).to.have.lengthOf(Object.keys(commands).length);
  });
});

describe('the completion script of zsh', () => {
  const lines = linesOf('zsh');

  it('is a function that is registered for the program', () => {
    expect(lines.slice(0, 8)).to.deep.equal([
      '#compdef webhook-certd',
      '_webhook_certd() {',
      '  local command= each',
      '  local -a rows',
      '  for each in ${words[2,CURRENT-1]}; do',
      `    case $each in ${NAMES.replaceAll(' ', '|')}) command=$each; break ;; esac`,
      '  done',
      '  case ${words[CURRENT-1]} in',
    ]);
    expect(lines.slice(-3)).to.deep.equal(['  esac', '}', 'compdef _webhook_certd webhook-certd']);
  });

  it('offers the words that a flag accepts, files for a path, and nothing for any other value', () => {
    for (const [flags, words] of CHOICES) expect(lines).to.include(`    ${flags}) compadd -- ${words}; return ;;`);
    expect(lines).to.include(`    ${PATHS}) _files; return ;;`);
    expect(unlisted(lines)).to.deep.equal(unlisted(linesOf('bash')));
  });

  it('describes commands and flags, with quotes that the shell keeps', () => {
    expect(lines).to.include('  case $command:${words[CURRENT]} in');
    expect(lines).to.include(`    version:-*) rows=('--help:${HELP}' '-h:${HELP}'); _describe -o flag rows ;;`);
    expect(lines).to.include('    completion:*) compadd -- bash zsh fish ;;');
    expect(lines.filter((line) => line.includes(':*) compadd'))).to.have.lengthOf(1);
    const served = lines.find((line) => line.startsWith('    (serve|):-*) ')) ?? '';
    expect(served).to.include(`'--pod-name:this replica'\\''s identity, the name of its Pod' '--pod-selector:`);
    const named = lines.find((line) => line.startsWith('    :*) ')) ?? '';
    const rows = Object.entries(commands).map(([name, { summary }]) => `'${name}:${summary}'`);
    expect(named).to.equal(`    :*) rows=(${rows.join(' ')}); _describe command rows ;;`);
  });
});

describe('the completion script of fish', () => {
  const lines = linesOf('fish');
  const before = `not __fish_seen_subcommand_from ${NAMES}`;
  const flag = (condition: string, text: string) => `complete -c webhook-certd -n '${condition}' ${text}`;
  const after = (command: string, text: string) => flag(`__fish_seen_subcommand_from ${command}`, text);

  it('offers no files unless asked for, and commands with their summaries before any', () => {
    expect(lines.slice(0, 1 + Object.keys(commands).length)).to.deep.equal([
      'complete -c webhook-certd -f',
      ...Object.entries(commands).map(([name, { summary }]) => flag(before, `-a ${name} -d '${summary}'`)),
    ]);
  });

  it('offers the flags of a command with what they accept', () => {
    expect(lines.filter((line) => line.includes('_from version'))).to.deep.equal([
      after('version', `-l help -s h -d '${HELP}'`),
    ]);
    for (const text of [
      `-l namespace -s n -x -a '' -d '${commands.check.flags.namespace.meaning}'`,
      `-l output -s o -x -a 'text json' -d '${commands.check.flags.output.meaning}'`,
      `-l json -d '${commands.check.flags.json.meaning}'`,
      `-l html -r -F -d '${commands.check.flags.html.meaning}'`,
      `-l pod-name -x -a '' -d 'this replica'\\''s identity, the name of its Pod'`,
    ])
      expect(lines, text).to.include(after('check', text));
    const ofServe = `__fish_seen_subcommand_from serve; or ${before}`;
    expect(lines).to.include(
      flag(
        ofServe,
        `-l kubelet-nudge -x -a 'true false' -d 'write the two Pod annotations; a 403 disables it with one warning'`,
      ),
    );
    expect(lines.filter((line) => line.includes(`'${ofServe}'`))).to.have.lengthOf(settings.length + 1);
  });

  it('offers the words of a command that has some', () => {
    expect(lines.filter((line) => / -n '__fish_seen_subcommand_from [^']*' -a /.test(line))).to.deep.equal([
      after('completion', `-a 'bash zsh fish'`),
    ]);
  });
});

describe('a shell', () => {
  it('is one that has a completion script', () => {
    expect(['bash', 'zsh', 'fish', 'tcsh', 'toString', ''].filter(isShell)).to.deep.equal(['bash', 'zsh', 'fish']);
  });
});
