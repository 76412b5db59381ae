import { expect } from 'chai';
import { type Ended, endedScript } from '../support/ended-script.ts';
import { simulateHelp } from './simulate-help.ts';
import { simulateOptions } from './simulate-options.ts';

const simulate = (...flags: readonly string[]): Promise<Ended> =>
  endedScript(new URL('simulate.ts', import.meta.url), ...flags);

const lastLine = ({ stdout }: Ended): string => stdout.trimEnd().split('\n').at(-1) ?? '';
const digestOf = ({ stdout }: Ended): string =>
  /^sha256 (?<digest>[0-9a-f]{64})$/m.exec(stdout)?.groups?.['digest'] ?? '';

describe('npm run simulate', function () {
  this.timeout(120_000);

  it('lets the same histories happen, to the byte, in any process and in any number of workers', async () => {
    const flags = ['--runs', '9', '--seed', '40', '--digest'];
    const [one, other] = [await simulate(...flags, '--workers', '1'), await simulate(...flags, '--workers', '3')];
    expect(digestOf(one)).to.have.length(64);
    expect(digestOf(other)).to.equal(digestOf(one));
    expect(lastLine(other)).to.equal(lastLine(one));
    expect(digestOf(await simulate('--runs', '9', '--seed', '41', '--digest'))).to.not.equal(digestOf(one));
  });

  it('ends with one line of JSON, which with --json is the only one', async () => {
    const { code, stdout } = await simulate('--runs', '3', '--seed', '9', '--json');
    expect(stdout).to.match(/^\{"runs":3,"steps":\d+,"violations":0,"seed":9\}\n$/);
    expect(code).to.equal(0);
  });

  it('tells a history line by line', async () => {
    const { stdout } = await simulate('--seed', '9', '--tell');
    expect(stdout).to.include('pod-0 started').and.to.include('"runs":1,');
  });

  it('explains every flag', () => {
    expect(simulateOptions(['--help'])).to.deep.equal({ ok: true, options: 'help' });
    for (const flag of ['--runs', '--seed', '--workers', '--json', '--digest', '--tell', '--help'])
      expect(simulateHelp).to.include(`  ${flag}`);
  });

  it('ends with 2 on a bad flag, with the reason on stderr only', async () => {
    const { code, stdout, stderr } = await simulate('--runs', '0');
    expect(stderr).to.include('--runs takes a whole number').and.to.include('--help explains every flag');
    expect(stdout).to.equal('');
    expect(code).to.equal(2);
  });

  for (const [flags, problem] of [
    [['--runs', '0'], '--runs takes a whole number from 1 to 1000000000, not "0"'],
    [['--seed', '-1'], "--seed' argument is ambiguous"],
    [['--seed=4294967295', '--runs=2'], '--seed takes a whole number from 0 to 4294967294, not "4294967295"'],
    [['--workers', 'many'], '--workers takes a whole number from 1 to 256, not "many"'],
    [['--faster'], "Unknown option '--faster'"],
    [['now'], "Unexpected argument 'now'"],
  ] as const)
    it(`refuses ${flags.join(' ')}, and says why`, () => {
      expect(simulateOptions(flags)).to.have.property('problem').that.includes(problem);
    });
});
