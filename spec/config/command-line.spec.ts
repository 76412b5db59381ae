import { expect } from 'chai';
import { parseCommandLine } from '../../src/config/command-line.ts';
import { type CommandFlag, commands } from '../../src/config/commands.ts';
import { settings } from '../../src/config/variables.ts';

const line = (text: string): ReturnType<typeof parseCommandLine> => parseCommandLine(text.split(' ').filter(Boolean));
const flagsOf = (text: string): Record<string, string> => Object.fromEntries(line(text).flags);
const problemsOf = (text: string): readonly string[] => line(text).problems;

describe('parseCommandLine', () => {
  it('serves when nothing is named', () => {
    const { command, options, flags, help, version, problems } = line('');
    expect({ command, options, help, version, problems }).to.deep.equal({
      command: 'serve',
      options: {},
      help: false,
      version: false,
      problems: [],
    });
    expect(flags.size).to.equal(0);
  });

  it('finds the command before and after its flags', () => {
    for (const text of ['check --json', '--json check', '--cert-timeout 3 check --json', '--json -- check']) {
      const { command, options, problems } = line(text);
      expect({ command, problems }, text).to.deep.equal({ command: 'check', problems: [] });
      expect(options, text).to.include({ json: true, output: 'text', namespace: null, context: null });
    }
  });

  it('reads --flag=value, --flag value and one dash alike, and lets the last one win', () => {
    expect(flagsOf('--cert-timeout=300 --tick-interval 5s -lease-name=x')).to.deep.equal({
      'cert-timeout': '300',
      'tick-interval': '5s',
      'lease-name': 'x',
    });
    expect(flagsOf('-v=1')).to.deep.equal({ v: '1' });
    expect(flagsOf('-v 0 --v 2')).to.deep.equal({ v: '2' });
  });

  it('keeps an equals sign, blanks and an empty text of a value', () => {
    const { flags } = parseCommandLine(['--pod-selector=app=x, tier=y', '--ca-bundle-targets=', '--cert-dir', '']);
    expect(Object.fromEntries(flags)).to.deep.equal({
      'pod-selector': 'app=x, tier=y',
      'ca-bundle-targets': '',
      'cert-dir': '',
    });
  });

  it('takes a truth alone for true, without eating the word behind it', () => {
    expect(flagsOf('--kubelet-nudge serve')).to.deep.equal({ 'kubelet-nudge': 'true' });
    expect(line('--kubelet-nudge serve').command).to.equal('serve');
    expect(flagsOf('--leader-election false serve')).to.deep.equal({ 'leader-election': 'false' });
    expect(flagsOf('--leader-election=False')).to.deep.equal({ 'leader-election': 'False' });
  });

  it("reads the demo's own flags and their defaults", () => {
    expect(line('demo').options).to.deep.equal({
      replicas: 3,
      rotations: null,
      kubeletDelayMs: 3000,
      port: null,
      handler: null,
      review: null,
      json: false,
    });
    expect(line('demo --replicas 5 --rotations=2 --kubelet-delay 500ms --port 0 --json').options).to.deep.equal({
      replicas: 5,
      rotations: 2,
      kubeletDelayMs: 500,
      port: 0,
      handler: null,
      review: null,
      json: true,
    });
    expect(line('demo --handler ./h.ts --review pod.yaml').options).to.include({
      handler: './h.ts',
      review: 'pod.yaml',
    });
  });

  it('reads the operands and flags of try', () => {
    const { operands, options, problems } = line(
      'try ./h.ts --operation update --old a.yaml b.yaml --path /m --user eve',
    );
    expect({ operands, options, problems }).to.deep.equal({
      operands: ['./h.ts', 'b.yaml'],
      options: { operation: 'UPDATE', old: 'a.yaml', path: '/m', user: 'eve', json: false },
      problems: [],
    });
  });

  it('takes for the path of try only one that a webhook can be called by', () => {
    for (const path of ['/', '/mutate', '/a/b-c'])
      expect(problemsOf(`try ./h.ts pod.yaml --path=${path}`), path).to.deep.equal([]);
    for (const path of ['mutate', 'a/b', '/a?b', '/a#b'])
      expect(problemsOf(`try ./h.ts pod.yaml --path=${path}`), path).to.deep.equal([
        `--path="${path}": expected a path like /mutate`,
      ]);
  });

  it('reports missing and surplus operands, with what is expected', () => {
    expect(problemsOf('try ./h.ts')).to.deep.equal(['missing argument: expected try HANDLER FILE [flags]']);
    expect(problemsOf('try a b c')).to.deep.equal(['unexpected argument "c": expected try HANDLER FILE [flags]']);
    expect(problemsOf('try a b --operation patch').join()).to.match(/--operation="patch": expected one of create/);
    expect(problemsOf('try a b --path mutate').join()).to.match(/expected a path like \/mutate/);
  });

  it('reads the flags of rotate', () => {
    expect(line('rotate').options).to.include({ ca: false, noWait: false, timeoutMs: null });
    expect(line('rotate --ca --no-wait --timeout=1h30m').options).to.include({
      ca: true,
      noWait: true,
      timeoutMs: 5_400_000,
    });
  });

  it('reads -n, -o and --context as kubectl does, and lets the last of two spellings win', () => {
    for (const text of [
      '-n shop -o json',
      '--namespace shop --output=JSON',
      '-n=a --namespace=shop --output=text -o json',
    ])
      expect(line(`check ${text} --context production`), text).to.deep.include({ problems: [] });
    expect(line('check -n=a --namespace=shop -o json --context=c').options).to.include({
      namespace: 'shop',
      output: 'json',
      context: 'c',
    });
    expect(problemsOf('check -n Shop -o yaml')).to.deep.equal([
      '--namespace="Shop": expected a DNS label: at most 63 of a-z, 0-9 and -, beginning and ending with a letter or digit',
      '--output="yaml": expected one of text, json',
    ]);
    expect(problemsOf('serve -n shop')).to.deep.equal([
      '--n: a flag of check, rotate, manifests and init, not of serve',
    ]);
  });

  it('reads the shell of completion, which has to be one that it knows', () => {
    expect(line('completion fish')).to.deep.include({ operands: ['fish'], problems: [] });
    expect(problemsOf('completion tcsh')).to.deep.equal(['completion "tcsh": expected one of bash, zsh, fish']);
    expect(problemsOf('completion')).to.deep.equal(['missing argument: expected completion SHELL [flags]']);
    expect(problemsOf('completion --help')).to.deep.equal([]);
  });

  it('knows version as a command, as kubectl has it', () => {
    expect(line('version')).to.include({ version: true, command: 'version' });
  });

  it('takes no flag of a variable where no variable is read', () => {
    expect(problemsOf('demo --lease-name=x')).to.deep.equal([
      '--lease-name: a flag of serve, check, rotate, manifests and init, not of demo',
    ]);
  });

  it('suggests the flag where its name is given as an argument', () => {
    expect(problemsOf('rotate ca')).to.deep.equal(['unexpected argument "ca": did you mean --ca?']);
  });

  it('says of an unknown command that alone, whatever follows it', () => {
    expect(line('chek --json --replicas 2')).to.deep.include({
      isCertain: false,
      problems: ['unknown command "chek": did you mean check?'],
    });
  });

  it('names the flags that unknown ones are likely to mean', () => {
    expect(line('--upstrem-url=http://127.0.0.1:1').meant).to.deep.equal(['upstream-url']);
    expect(line('--quite-something-else').meant).to.deep.equal([]);
  });

  it('knows help and version in every form', () => {
    for (const text of ['--help', '-h', 'help', 'demo --help', 'help demo'])
      expect(line(text).help, text).to.equal(true);
    expect(line('help demo').command).to.equal('demo');
    expect(line('check --version')).to.include({ version: true, help: false, command: 'check' });
  });

  it('takes -h for a switch of every command, which has no value', () => {
    expect(line('-h demo')).to.deep.include({ help: true, command: 'demo', problems: [] });
  });

  it('suggests no flag of one letter: every letter is close to each of them', () => {
    expect(problemsOf('--q=1')).to.deep.equal(['unknown flag --q: expected a flag that --help lists']);
  });

  it('says of each flag that needs a value what is expected, where there is none', () => {
    const variableFlags = settings.map(
      ([, { flag, valueWhenBare }]) => ['serve', flag, valueWhenBare !== null] as const,
    );
    const ownFlags = Object.entries(commands).flatMap(([command, { flags }]) =>
      Object.values<CommandFlag<unknown>>(flags).map(
        ({ flag, placeholder }) => [command, flag, placeholder === null] as const,
      ),
    );
    for (const [command, flag, isSwitch] of [...variableFlags, ...ownFlags]) {
      const problem = problemsOf(`${command} --${flag}`).find((one) => one.startsWith('--'));
      if (isSwitch) expect(problem, flag).to.equal(undefined);
      else
        expect(problem, flag).to.match(
          new RegExp(`^--${flag} without a value: expected (an? |the |one of |:|HOST|http:)`),
        );
    }
    expect(problemsOf('--cert-dir')).to.deep.equal(['--cert-dir without a value: expected the path of a directory']);
    expect(problemsOf('--extra-dns-names')).to.deep.equal([
      '--extra-dns-names without a value: expected a comma-separated list',
    ]);
  });

  it('takes a whole number only in digits', () => {
    for (const text of ['1.5', '1e1', '0x5', '-1'])
      expect(problemsOf(`demo --replicas=${text}`), text).to.have.lengthOf(1);
  });

  it('takes an empty text for no duration, and a blank one for an empty list', () => {
    expect(problemsOf('check --warn-before=')).to.have.lengthOf(1);
    expect(parseCommandLine(['manifests', '--with', ' '])).to.deep.include({ problems: [] });
  });

  it('reads a truth of a variable that is given alone as true', () => {
    expect(flagsOf('--leader-election --kubelet-nudge')).to.deep.equal({
      'leader-election': 'true',
      'kubelet-nudge': 'true',
    });
  });

  it('suggests the command that was meant', () => {
    expect(problemsOf('chek')).to.deep.equal(['unknown command "chek": did you mean check?']);
    expect(problemsOf('frobnicate')).to.deep.equal([
      'unknown command "frobnicate": expected one of serve, check, rotate, manifests, init, try, demo, completion, version',
    ]);
    expect(problemsOf('constructor')).to.have.lengthOf(1);
  });

  it('tells every problem with the flags at once', () => {
    const problems = problemsOf('serve now --cert-timout=3 --json --replicas=2 --lease-name --__proto__=1');
    expect(problems).to.have.lengthOf(6);
    expect(problems[0]).to.equal('unexpected argument "now": expected one command and flags');
    expect(problems[1]).to.equal('unknown flag --cert-timout: did you mean --cert-timeout?');
    expect(problems[2]).to.equal('--json: a flag of check, rotate, try and demo, not of serve');
    expect(problems[3]).to.equal('--replicas: a flag of manifests and demo, not of serve');
    expect(problems[4]).to.match(/^--lease-name without a value: expected a DNS subdomain/);
    expect(problems[5]).to.match(/^unknown flag --__proto__/);
  });

  it('refuses bad values of the own flags, and leaves those of the variables to parseConfig', () => {
    expect(problemsOf('demo --replicas=0 --kubelet-delay=x --port=70000')).to.have.lengthOf(3);
    expect(problemsOf('check --cert-timeout=x')).to.deep.equal([]);
    expect(problemsOf('demo --replicas 99')).to.deep.equal(['--replicas="99": expected a whole number from 1 to 20']);
    expect(problemsOf('demo --replicas 20')).to.deep.equal([]);
    expect(problemsOf('check --json=maybe')).to.deep.equal(['--json="maybe": expected true or false']);
  });

  it('names the only command that has a flag', () => {
    expect(problemsOf('serve --no-wait')).to.deep.equal(['--no-wait: a flag of rotate, not of serve']);
  });

  it('takes neither -- nor a word that is no truth value for the value of a flag', () => {
    expect(problemsOf('check --lease-name -- x')).to.have.lengthOf(2);
    expect(flagsOf('check --lease-name -- x')).to.deep.equal({});
    for (const word of ['untrue', 'falsehood'])
      expect(problemsOf(`check --json ${word}`), word).to.deep.equal([
        `unexpected argument "${word}": expected one command and flags`,
      ]);
  });

  it('does not take the next flag for a value, but takes a negative number', () => {
    expect(problemsOf('--lease-name --cert-dir=/x')).to.have.lengthOf(1);
    expect(flagsOf('--lease-name --cert-dir=/x')).to.deep.equal({ 'cert-dir': '/x' });
    expect(flagsOf('--cert-timeout -1')).to.deep.equal({ 'cert-timeout': '-1' });
  });
});
