import { expect } from 'chai';
import { logThrottle } from '../../src/logging/log-throttle.ts';
import { until } from '../webhook/support-until.ts';

describe('logThrottle', () => {
  it('lets the first of each kind through and counts the others', async () => {
    const throttle = logThrottle(50);
    expect(throttle('a')).to.deep.equal({ emit: true, suppressed: 0 });
    expect(throttle('a')).to.deep.equal({ emit: false, suppressed: 0 });
    expect(throttle('b')).to.deep.equal({ emit: true, suppressed: 0 });
    const endMs = Date.now() + 50;
    await until(() => Date.now() > endMs);
    expect(throttle('a')).to.deep.equal({ emit: true, suppressed: 1 });
  });

  it('keeps a bounded number of keys and forgets the oldest first', () => {
    const throttle = logThrottle();
    throttle('first');
    throttle('second');
    for (let key = 0; key < 255; key += 1) throttle(String(key));
    expect(throttle('second').emit).to.equal(false);
    expect(throttle('first').emit).to.equal(true);
  });
});
