import { expect } from 'chai';
import fc from 'fast-check';
import { timeScale } from '../../src/page/rotation-card.ts';

describe('the scale of the timeline', () => {
  it('ends at the next round value', () => {
    expect(timeScale(4_100).ticksMs).to.deep.equal([0, 1_000, 2_000, 3_000, 4_000, 5_000]);
    expect(timeScale(160).ticksMs).to.deep.equal([0, 50, 100, 150, 200]);
    expect(timeScale(70_000).ticksMs).to.deep.equal([0, 20_000, 40_000, 60_000, 80_000]);
    expect(timeScale(4_100).at(2_500)).to.equal('50.00%');
  });

  it('fits anything from a millisecond to a year on a few ticks', () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 366 * 86_400_000, noNaN: true }), (longestMs) => {
        const { ticksMs, at } = timeScale(longestMs);
        expect(ticksMs).to.have.length.within(2, 7);
        expect(ticksMs.at(-1)).to.be.at.least(longestMs);
        expect([at(0), at(ticksMs.at(-1)!)]).to.deep.equal(['0.00%', '100.00%']);
      }),
    );
  });
});
