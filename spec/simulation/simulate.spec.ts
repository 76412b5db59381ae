import { expect } from 'chai';
import { type Ended, endedScript } from '../support/ended-script.ts';

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

  it('ends with 2 on a bad flag, with the reason on stderr only', async () => {
    for (const [flags, reason] of [
      [['--runs', '0'], '--runs="0": expected a whole number from 1 to 1000000000'],
      [['--seed=4294967295', '--runs=2'], 'expected the last seed to be at most 4294967295'],
    ] as const) {
      const { code, stdout, stderr } = await simulate(...flags);
      expect(stderr).to.include(reason).and.to.include('Try --help.');
      expect(stdout).to.equal('');
      expect(code).to.equal(2);
    }
  });
});
