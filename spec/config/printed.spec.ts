import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { PRINTED, printed } from '../support/write-printed.ts';

describe('what the command line prints', () => {
  for (const [name, text] of printed)
    it(`is as someone has read it: ${name} (a change of it is written by spec/support/write-printed.ts)`, () => {
      expect(text()).to.equal(readFileSync(new URL(name, PRINTED), 'utf8'));
    });

  it('is in no file of a command or shell that exists no longer', () => {
    expect(readdirSync(PRINTED)).to.have.members([...printed.keys()]);
  });
});
