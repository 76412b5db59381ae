import { expect } from 'chai';
import { logThrottle } from '../../src/logging/log-throttle.ts';
import { until } from '../support/until.ts';

describe('quieten', () => {
  it('lets the first of each kind through and counts the others', async () => {
    const loudness = logThrottle(50);
    expect(loudness('a')).to.deep.equal({ emit: true, suppressed: 0 });
    expect(loudness('a')).to.deep.equal({ emit: false, suppressed: 0 });
    expect(loudness('b')).to.deep.equal({ emit: true, suppressed: 0 });
    const endMs = Date.now() + 50;
    await until(() => Date.now() > endMs);
    expect(loudness('a')).to.deep.equal({ emit: true, suppressed: 1 });
  });
});
