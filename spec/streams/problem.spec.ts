import { expect } from 'chai';
import { Problem } from '../../streams/problem.ts';

describe('Problem', () => {
  it('carries the HTTP status of the answer', () => {
    const problem = new Problem('leases is forbidden', 403);
    expect(problem.status).to.equal(403);
    expect(problem.message).to.equal('leases is forbidden');
  });

  it('has no status when no answer came', () => {
    expect(new Problem('connection refused').status).to.equal(null);
  });

  it('can be told from a bug by its class, and by its name in a log', () => {
    expect(new Problem('lost')).to.be.instanceOf(Error);
    expect(new Problem('lost').name).to.equal('Problem');
    expect(new TypeError('a bug')).not.to.be.instanceOf(Problem);
    expect(String(new Problem('lost'))).to.equal('Problem: lost');
  });
});
