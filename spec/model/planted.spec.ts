import { expect } from 'chai';
import { ALL_LAWS } from './laws.ts';
import { findingOf, type Found, foundTable, PLANTED, writtenFoundTable } from './planted.ts';

describe('the model checker', function () {
  this.timeout(120_000);
  const all: Found[] = [];

  for (const planted of PLANTED)
    for (const by of planted.by)
      it(`finds by ${by} that ${planted.bug.name}, with a shortest history`, async () => {
        const found = await findingOf(planted, by);
        expect(found).to.not.equal(null);
        if (found !== null) all.push(found);
      });

  it('has the table of planted bugs in docs/development.md as it finds them', () => {
    expect(writtenFoundTable()).to.equal(foundTable(all));
  });

  it('has a planted bug for each law that it judges', () => {
    const found = new Set(all.map(({ law }) => law));
    expect([...ALL_LAWS, 'L9', 'the goal'].filter((law) => !found.has(law as Found['law']))).to.deep.equal([]);
  });
});
