import { expect } from 'chai';
import { assert, double, integer, property } from 'fast-check';
import { retryDelayMs, timerDelayMs } from '../../streams/backoff.ts';
import { noJitter } from '../support/no-jitter.ts';

describe('backoffMs', () => {
  const anyFailures = integer({ min: 1, max: 100_000 });
  const anyRandom = double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

  it('starts at 800 ms and doubles to 30 s (F8)', () => {
    const delays = [1, 2, 3, 4, 5, 6, 7, 8].map((failures) => retryDelayMs(failures, noJitter()));
    expect(delays).to.deep.equal([800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]);
  });

  it('spreads replicas over the upper half of each delay', () => {
    const delays = [1, 2, 3, 4, 5, 6, 7, 8].map((failures) => retryDelayMs(failures, 0));
    expect(delays).to.deep.equal([400, 800, 1_600, 3_200, 6_400, 12_800, 15_000, 15_000]);
    expect(retryDelayMs(1, 0.5)).to.equal(600);
  });

  it('is never longer than 30 s nor shorter than 400 ms, however long the outage', () => {
    assert(
      property(anyFailures, anyRandom, (failures, random) => {
        const waitMs = retryDelayMs(failures, random);
        expect(waitMs).to.be.within(400, 30_000);
        expect(Number.isInteger(waitMs)).to.equal(true);
      }),
    );
  });

  it('never waits less after more failures, the dice being equal', () => {
    assert(
      property(anyFailures, anyFailures, anyRandom, (some, more, random) => {
        expect(retryDelayMs(some + more, random)).to.be.at.least(retryDelayMs(some, random));
      }),
    );
  });

  it('never waits less for a larger number from the dice', () => {
    assert(
      property(anyFailures, anyRandom, anyRandom, (failures, one, other) => {
        const [low, high] = [Math.min(one, other), Math.max(one, other)];
        expect(retryDelayMs(failures, high)).to.be.at.least(retryDelayMs(failures, low));
      }),
    );
  });
});

describe('timerDelayMs', () => {
  it('leaves what a timer can wait for as it is', () => {
    expect([0, 0.5, 800, 2 ** 31 - 1].map(timerDelayMs)).to.deep.equal([0, 0.5, 800, 2 ** 31 - 1]);
  });

  it('bounds what setTimeout would take for 1 ms, and what is no delay at all', () => {
    expect([2 ** 31, Infinity].map(timerDelayMs)).to.deep.equal([2 ** 31 - 1, 2 ** 31 - 1]);
    expect([-0.0419, -1, -Infinity, NaN].map(timerDelayMs)).to.deep.equal([0, 0, 0, 0]);
  });
});
