import { expect } from 'chai';
import { toolFlags } from './tool-flags.ts';

const read = (...args: readonly string[]) =>
  toolFlags(args, 'npm run tool', {
    runs: { standard: '10', accepts: 'a whole number', isGood: (text) => /^\d+$/.test(text), help: 'how many' },
  });

describe('the flags of a tool', () => {
  it('are what is given, else what is standard, --json or not', () => {
    expect(read('--runs', '7', '--json')).to.deep.equal({ asked: { runs: '7' }, json: true });
    expect(read()).to.deep.equal({ asked: { runs: '10' }, json: false });
  });

  it('are explained, and a bad one is told with what is accepted', () => {
    expect(read('--help')).to.deep.include({ exitCode: 0 });
    expect(read('--runs=many')).to.deep.equal({
      exitCode: 2,
      text: '--runs="many": expected a whole number\nTry --help.',
    });
    expect(read('--bogus')).to.deep.include({ exitCode: 2 });
  });
});
