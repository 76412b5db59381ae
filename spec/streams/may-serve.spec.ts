import { expect } from 'chai';
import { mayBeServing } from '../../streams/acknowledged.ts';

const NOW_MS = 1_800_000_000_000;
const HOUR_MS = 3_600_000;

const may = (goneAtMs: number | null, rest: { readonly servingHash?: string } = {}): boolean =>
  mayBeServing({ name: 'a', servingHash: null, goneAtMs, ...rest }, NOW_MS);

describe('mayServe', () => {
  it('holds for whatever has a place to run, whether or not it has ever served', () => {
    expect(may(null)).to.equal(true);
    expect(may(null, { servingHash: 'a' })).to.equal(true);
  });

  it('holds for what is being deleted until an hour after it should be gone', () => {
    expect(may(NOW_MS + 1)).to.equal(true);
    expect(may(NOW_MS - HOUR_MS + 1)).to.equal(true);
    expect(may(NOW_MS - HOUR_MS)).to.equal(false);
  });

  it('does not hold for what runs nowhere', () => {
    expect(may(0)).to.equal(false);
    expect(may(0, { servingHash: 'a' })).to.equal(false);
  });
});
