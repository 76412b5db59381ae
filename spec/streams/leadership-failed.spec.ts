import { expect } from 'chai';
import { Problem } from '../../streams/problem.ts';
import { leadershipFailed } from '../../streams/try-acquire-or-renew.ts';

describe('leadershipFailed', () => {
  it('says what was answered and when the next try is', () => {
    expect(leadershipFailed(new Problem('the Lease has changed', 409), 800)).to.deep.equal({
      type: 'leadership/failed',
      status: 409,
      error: 'the Lease has changed',
      retryInMs: 800,
    });
  });

  it('has no status when no answer came', () => {
    expect(leadershipFailed(new Problem('connection refused'), 1_600).status).to.equal(null);
  });
});
