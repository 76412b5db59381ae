import { expect } from 'chai';
import { type Ended, endedScript } from '../support/ended-script.ts';

const model = (...flags: readonly string[]): Promise<Ended> =>
  endedScript(new URL('model.ts', import.meta.url), ...flags);

describe('npm run model', function () {
  this.timeout(60_000);
  const small = ['--replicas', '1', '--targets', '1', '--accidents', '0'];

  it('ends with one line of JSON and with 0 when nothing is found', async () => {
    const { code, stdout, stderr } = await model(...small, '--api-servers', '1', '--json');
    expect(stdout).to.match(/^\{"states":\d+,"transitions":\d+,"violations":0,"stuck":0\}\n$/);
    expect([code, stderr]).to.deep.equal([0, '']);
  });

  it('explores one leader or two, any of the issuers and a webhook that is running already', async () => {
    const scopes = [
      ['--leaders', '2'],
      ['--issuer', 'external', '--laws', 'L6'],
      ['--start', 'running', '--workers', '1'],
    ];
    for (const flags of scopes) {
      const { code, stdout } = await model(...small, ...flags);
      expect(code, flags.join(' ')).to.equal(0);
      expect(stdout).to.match(/^\{"states":[1-9].*"stuck":0\}\n$/);
    }
  });

  it('ends with 1 when it has to give up, and with 2 on a flag that it does not take', async () => {
    const gaveUp = await model(...small, '--most-states', '5');
    expect(gaveUp.stderr).to.include('more than 5 states: choose a smaller scope');
    expect(gaveUp.code).to.equal(1);
    for (const flags of [
      ['--issuer', 'other'],
      ['--laws', 'L1,L0'],
      ['--kinds', 'rain'],
      ['--accidents', '6'],
    ]) {
      const { code, stdout, stderr } = await model(...flags);
      expect([code, stdout], flags.join(' ')).to.deep.equal([2, '']);
      expect(stderr).to.include(flags[0]).and.to.include('expected');
    }
  });
});
