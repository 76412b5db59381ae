import { expect } from 'chai';
import { plantedBugsTable, writtenTable } from './planted-bugs-table.ts';

describe('spec/simulation/README.md', () => {
  it('has the table of planted bugs as they are', () => {
    expect(writtenTable()).to.equal(plantedBugsTable());
  });
});
