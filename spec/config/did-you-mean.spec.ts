import { expect } from 'chai';
import { didYouMean, unknownFlag } from '../../src/config/did-you-mean.ts';

describe('didYouMean', () => {
  it('suggests a word that differs by a character replaced, added or left out', () => {
    for (const typed of ['lease', 'leased', 'lese', 'laese', 'xlease', 'leas', 'LEASE'])
      expect(didYouMean(typed, ['unlike', 'lease']), typed).to.equal('lease');
  });

  it('suggests the closest of several words, whatever their order', () => {
    expect(didYouMean('cert-dir', ['cert-dim', 'cert-dir'])).to.equal('cert-dir');
    expect(didYouMean('cert-dir', ['cert-dir', 'cert-dim'])).to.equal('cert-dir');
    expect(didYouMean('abcdefghi', ['abcdef', 'abcdefgxx', 'abcdefghx'])).to.equal('abcdefghx');
  });

  it('allows two differences, and a third of the characters of a long word, and no more', () => {
    expect(didYouMean('abxy', ['abcd'])).to.equal('abcd');
    expect(didYouMean('axyz', ['abcd'])).to.equal(null);
    expect(didYouMean('abcdefghwxyz', ['abcdefghijkl'])).to.equal('abcdefghijkl');
    expect(didYouMean('abcdefgvwxyz', ['abcdefghijkl'])).to.equal(null);
  });

  it('suggests no word of which no character is right, however short it is', () => {
    for (const [typed, word] of [
      ['', 'ab'],
      ['q', 'ca'],
      ['q', 'n'],
      ['nn', 'n'],
      ['xyz', 'abc'],
    ] as const)
      expect(didYouMean(typed, [word]), `${typed} for ${word}`).to.equal(null);
    expect(didYouMean('a', ['ca'])).to.equal('ca');
  });

  it('takes an underscore for a dash, of which a variable has several', () => {
    expect(didYouMean('A_B_C_D_E', ['a-b-c-d-e', 'abcde'])).to.equal('a-b-c-d-e');
    expect(didYouMean('A_B_C_D_E_F', ['a-b-c-d-e-f'])).to.equal('a-b-c-d-e-f');
  });

  it('suggests nothing for a text of more than 60 characters, which is no typing error', () => {
    expect(didYouMean('a'.repeat(60), ['a'.repeat(60)])).to.equal('a'.repeat(60));
    expect(didYouMean('a'.repeat(61), ['a'.repeat(61)])).to.equal(null);
  });
});

describe('the problem of an unknown flag', () => {
  it('shows 60 of its characters, and what was meant or where the flags are listed', () => {
    expect(unknownFlag('leas', ['lease'])).to.equal('unknown flag --leas: did you mean --lease?');
    expect(unknownFlag('x'.repeat(100), ['lease'])).to.equal(
      `unknown flag --${'x'.repeat(60)}: expected a flag that --help lists`,
    );
  });
});
