import { expect } from 'chai';
import { quieten } from '../../src/logging/log-throttle.ts';
import { until } from '../webhook/support-until.ts';

describe('quieten', () => {
  it('lets the first of each kind through and counts the others', async () => {
    const loudness = quieten(50);
    expect(loudness('a')).to.deep.equal({ loud: true, untold: 0 });
    expect(loudness('a')).to.deep.equal({ loud: false, untold: 0 });
    expect(loudness('b')).to.deep.equal({ loud: true, untold: 0 });
    const endMs = Date.now() + 50;
    await until(() => Date.now() > endMs);
    expect(loudness('a')).to.deep.equal({ loud: true, untold: 1 });
  });
});
