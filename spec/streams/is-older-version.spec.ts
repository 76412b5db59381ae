import { expect } from 'chai';
import { assert, bigInt, constantFrom, property } from 'fast-check';
import { isOlderVersion } from '../../streams/kubernetes.ts';

describe('isOlderVersion', () => {
  it('compares as numbers, not as text', () => {
    expect(isOlderVersion('9', '10')).to.equal(true);
    expect(isOlderVersion('10', '9')).to.equal(false);
  });

  it('does not call a version older than itself', () => {
    expect(isOlderVersion('7', '7')).to.equal(false);
  });

  it('calls nothing older that is no number: nothing is ignored for being strange', () => {
    const strange = ['', ' ', 'x', '1a', '0x10', '1e3', '-1', '1.5', 'NaN', 'Infinity', '１'];
    for (const version of strange) {
      expect(isOlderVersion(version, '5'), version).to.equal(false);
      expect(isOlderVersion('5', version), version).to.equal(false);
      expect(isOlderVersion(version, version), version).to.equal(false);
    }
  });

  it('is exact beyond the integers of a double: revisions are 64 bits wide', () => {
    expect(isOlderVersion('9007199254740992', '9007199254740993')).to.equal(true);
    expect(isOlderVersion('9007199254740993', '9007199254740992')).to.equal(false);
    expect(isOlderVersion('9223372036854775806', '9223372036854775807')).to.equal(true);
  });

  it('orders any two revisions one way, and one way only', () => {
    const anyRevision = bigInt({ min: 0n, max: 2n ** 63n - 1n });
    assert(
      property(anyRevision, anyRevision, (left, right) => {
        expect(isOlderVersion(`${left}`, `${right}`)).to.equal(left < right);
        expect(isOlderVersion(`${right}`, `${left}`)).to.equal(right < left);
      }),
    );
  });

  it('reads leading zeroes as what they are: nothing', () => {
    assert(
      property(constantFrom('0', '00', '000'), (zeroes) => {
        expect(isOlderVersion(`${zeroes}9`, '10')).to.equal(true);
      }),
    );
  });
});
