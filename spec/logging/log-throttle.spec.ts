import { expect } from 'chai';
import { logThrottle } from '../../src/logging/log-throttle.ts';
import { type MonotonicClock, monotonicClock } from '../support/monotonic-clock.ts';

describe('logThrottle', () => {
  let clock: MonotonicClock;
  beforeEach(() => (clock = monotonicClock()));
  afterEach(() => clock[Symbol.dispose]());

  it('lets the first of each kind through and counts the others', () => {
    const throttle = logThrottle(50);
    expect(throttle('a')).to.deep.equal({ emit: true, suppressed: 0 });
    for (let call = 0; call < 2; call += 1) expect(throttle('a')).to.deep.equal({ emit: false, suppressed: 0 });
    expect(throttle('b')).to.deep.equal({ emit: true, suppressed: 0 });
    clock.nowMs += 50;
    expect(throttle('a')).to.deep.equal({ emit: true, suppressed: 2 });
    clock.nowMs += 50;
    expect(throttle('a')).to.deep.equal({ emit: true, suppressed: 0 });
  });

  it('lets one of a kind through in a minute', () => {
    const throttle = logThrottle();
    throttle('a');
    clock.nowMs += 59_999;
    expect(throttle('a').emit).to.equal(false);
    clock.nowMs += 1;
    expect(throttle('a').emit).to.equal(true);
  });

  it('keeps a bounded number of keys and forgets the oldest first', () => {
    const throttle = logThrottle();
    throttle('first');
    throttle('second');
    for (let key = 0; key < 254; key += 1) throttle(String(key));
    expect(throttle('first').emit).to.equal(false);
    throttle('the 257th');
    expect(throttle('second').emit).to.equal(false);
    expect(throttle('first').emit).to.equal(true);
  });

  it('counts the age of a key from when it was last let through', () => {
    const throttle = logThrottle();
    throttle('first');
    throttle('second');
    clock.nowMs += 60_000;
    throttle('first');
    for (let key = 0; key < 255; key += 1) throttle(String(key));
    expect(throttle('first').emit).to.equal(false);
  });
});
