import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { plantedBugs } from './planted-bugs.ts';
import { plantedBugsTable } from './planted-bugs-table.ts';

const text = readFileSync(new URL('README.md', import.meta.url), 'utf8');

describe('spec/simulation/README.md', () => {
  it('has the table of planted bugs as they are', () => {
    const [, table] = /<!-- planted -->\n\n(?<table>[^]*?)\n\n<!-- \/planted -->/.exec(text) ?? [];
    expect(table).to.equal(plantedBugsTable(plantedBugs));
  });
});
