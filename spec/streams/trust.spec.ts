import { expect } from 'chai';
import { inheritedCas, injectedCas, issuersMissingFromBundle, wouldReject } from '../../streams/trust.ts';
import { clusterOf, type Sketch } from '../support/cluster-of.ts';
import { viewOf } from '../support/view-of.ts';

const names = (certificates: readonly { readonly fingerprint: string }[]): string =>
  certificates.map(({ fingerprint }) => fingerprint).join('+');

const { observed, authority, target } = clusterOf;

describe('given', () => {
  it('is what stands in caBundles that nobody else has written since, each CA once', () => {
    expect(names(injectedCas(observed({ targets: ['B+A', 'C|A', 'X+D', '0'] })))).to.equal('B+A+C');
  });

  it('is nothing where nothing can be read', () => {
    expect(injectedCas(observed({ targets: ['!', '?', '-', 'no field'] }))).to.deep.equal([]);
  });
});

describe('inherited CAs', () => {
  it('are what the Secret and every caBundle trust, whoever wrote it', () => {
    expect(names(inheritedCas(observed({ secret: 'b1:B+A', targets: ['C', 'X+A'] })))).to.equal('B+A+C+X');
  });

  it('are those of the caBundles alone when there is no readable Secret', () => {
    for (const secret of ['-', '!', '?'])
      expect(names(inheritedCas(observed({ secret, targets: ['A'] })))).to.equal('A');
  });
});

describe('overlooked CAs', () => {
  const of = (sketch: Sketch): string => names(issuersMissingFromBundle(viewOf({ ca: 'B', ...sketch })));

  it('is what every caBundle trusts when there is no Secret', () => {
    expect(of({ targets: ['A', 'X'] })).to.equal('A+X');
  });

  it('is the CA that signed what is announced, and no other of its ca.crt', () => {
    expect(of({ secret: 'a1:A+X', said: 'a1', targets: ['C'] })).to.equal('A');
  });

  it('is the CA that signed the leaf while nothing is announced', () => {
    expect(of({ secret: 'a1:A+X' })).to.equal('A');
  });

  it('is nothing when another leaf is announced, or nobody says who signed it', () => {
    expect(of({ secret: 'a2:A', said: 'a1', targets: ['A'] })).to.equal('');
    expect(of({ secret: 'a1:X', said: 'a1' })).to.equal('');
  });
});

describe('losesWith', () => {
  const loses = (words: string, issuer: string | null = 'B', ours = 'B+A'): boolean =>
    wouldReject(issuer, authority(ours))(target('target', words));

  it('is true of a target that trusts a CA of ours, but not the issuer', () => {
    expect(loses('A')).to.equal(true);
    expect(loses('X+A')).to.equal(true);
    expect(loses('B|A')).to.equal(true);
    expect(loses('A', null)).to.equal(true);
  });

  it('is false of one that trusts the issuer, or none of ours', () => {
    for (const words of ['B', 'B+A', 'X+B', 'X', '0', 'no field', '0|B']) expect(loses(words), words).to.equal(false);
  });

  it('is true where it cannot be seen, and false where there is no target', () => {
    expect(loses('!')).to.equal(true);
    expect(loses('-')).to.equal(false);
    expect(loses('?')).to.equal(false);
  });
});
