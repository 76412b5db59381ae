import { expect } from 'chai';
import { findingOf, type Found, foundTable, PLANTED, writtenFoundTable } from './planted.ts';

describe('the model checker', function () {
  this.timeout(120_000);
  const all: Found[] = [];

  for (const planted of PLANTED)
    it(`finds that ${planted[0]}, with a shortest history`, async () => {
      const found = await findingOf(planted);
      expect(found).to.not.equal(null);
      if (found !== null) all.push(found);
    });

  it('has the table of these bugs in docs/development.md as they are found', () => {
    expect(writtenFoundTable()).to.equal(foundTable(all));
  });
});
