import { expect } from 'chai';
import { toolFlags, wholeNumber } from './tool-flags.ts';

const read = (...args: readonly string[]) =>
  toolFlags(args, 'npm run tool', { runs: wholeNumber(10, 1, 500, 'how many') }, { tell: 'tells more' });

describe('the flags of a tool', () => {
  it('are what is given, else what is standard, --json or not', () => {
    expect(read('--runs', '7', '--json')).to.deep.equal({
      asked: { runs: '7' },
      switched: { tell: false },
      json: true,
    });
    expect(read('--tell')).to.deep.equal({ asked: { runs: '10' }, switched: { tell: true }, json: false });
  });

  it('are explained, and a bad one is told with what is accepted', () => {
    expect(read('--help')).to.deep.equal({
      exitCode: 0,
      text: 'npm run tool\n\nFlags:\n  --runs  how many (default: 10)\n  --tell  tells more\n  --help  this text',
    });
    expect(read('--runs=many')).to.deep.equal({
      exitCode: 2,
      text: '--runs="many": expected a whole number from 1 to 500\nTry --help.',
    });
    for (const bad of ['--bogus', '--runs=0', '--runs=501', '--runs=-1', '--runs=1e2', '--runs=', '--tell=1', 'now'])
      expect(read(bad), bad).to.deep.include({ exitCode: 2 });
  });
});
