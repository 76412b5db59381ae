import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { figures } from './figures.ts';

const run = promisify(execFile);
const BENCH = join(import.meta.dirname, 'bench.ts');

interface Told {
  readonly figures: readonly Readonly<Record<string, unknown>>[];
  readonly failed: readonly string[];
}

// How long anything took is for `npm run bench` to say, on a machine that does nothing else.
describe('the bench', function () {
  this.timeout(240_000);

  let told: Told;
  before(async () => {
    const { stdout } = await run(process.execPath, [BENCH, '--quick', '--json']);
    told = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Told;
  });

  for (const name of Object.keys(figures)) {
    it(`measures ${name} from end to end, and tells it as --help says`, () => {
      expect(told.failed).to.not.include(name);
      const own = told.figures.filter((figure) => figure['figure'] === name);
      expect(own).to.not.be.empty;
      for (const figure of own) {
        expect(figure).to.have.all.keys(
          'figure',
          'name',
          'unit',
          'median',
          'p99',
          'baseline',
          'ratio',
          'go',
          'limit',
          'met',
        );
        expect(figure['median']).to.be.a('number');
        expect(figure['met']).to.be.a('boolean');
      }
    });
  }

  it('refuses a figure that there is not, and names those that there are', async () => {
    const refused = await run(process.execPath, [BENCH, '--only', 'colt-start']).catch((error: unknown) => error);
    expect(refused).to.include({ code: 2 }).and.to.have.property('stderr').that.includes('cold-start, adoption');
  });
});
