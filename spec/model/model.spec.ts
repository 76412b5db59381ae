import { expect } from 'chai';
import { planIssuance } from '../../streams/plan-issuance.ts';
import { explore } from './explore.ts';
import type { Law } from './laws.ts';
import type { Scope } from './scope.ts';

describe('the model checker', function () {
  this.timeout(120_000);

  const own: Scope = { issuer: 'self-signed', replicas: 1, targets: 1, apiServers: 2, leaders: 1, accidents: 2 };
  const scopes: readonly (readonly [name: string, scope: Scope, least: number])[] = [
    ['an API server that lags, and two accidents', own, 15_000],
    ['two targets, and two accidents with one API server', { ...own, targets: 2, apiServers: 1 }, 3_000],
    ['two replicas, and one accident', { ...own, replicas: 2, targets: 2, accidents: 1 }, 3_000],
    ['two leaders at once', { ...own, leaders: 2, accidents: 1 }, 2_000],
    ['an installation beside a running webhook', { ...own, start: 'running', accidents: 1 }, 500],
    ['an external issuer that renews twice', { ...own, issuer: 'external', targets: 2 }, 3_000],
    ['a relay beside a running webhook', { ...own, issuer: 'relay', start: 'running' }, 10_000],
    ['a relay with two leaders', { ...own, issuer: 'relay', leaders: 2, accidents: 1 }, 1_000],
    ['an external issuer beside a running webhook', { ...own, issuer: 'external', start: 'running' }, 1_000],
  ];
  for (const [name, scope, least] of scopes)
    it(`finds no plan and no state that breaks a law, and none from which the goal cannot be reached: ${name}`, async () => {
      const { states, violations, stuck, stuckHistories } = await explore(scope);
      expect(violations).to.deep.equal([]);
      expect(stuckHistories).to.deep.equal([]);
      expect(stuck).to.equal(0);
      expect(states).to.be.above(least);
    });

  it('visits the same states in any number of threads', async () => {
    const scope: Scope = { ...own, accidents: 1 };
    expect(await explore(scope, { workers: 2 })).to.deep.equal(await explore(scope));
  });

  /** A planner that takes every target for one that trusts everything it should. */
  const widensNothing: typeof planIssuance = (observed, ...rest) => planIssuance({ ...observed, targets: [] }, ...rest);
  const announcesNothing: typeof planIssuance = (...input) => {
    const step = planIssuance(...input);
    return step?.kind === 'announce' ? null : step;
  };
  const small: Scope = { ...own, apiServers: 1, accidents: 1 };

  it('finds a shortest history to a planner that announces before it widens (L1 and L2)', async () => {
    const ofLaw = async (law: Law) => (await explore({ ...small, laws: [law], plan: widensNothing })).violations[0];
    expect(await ofLaw('L1')).to.include({ law: 'L1' });
    expect((await ofLaw('L1'))?.history.at(-1)?.what).to.equal('the leader plans issue-leaf');
    expect((await ofLaw('L2'))?.history.at(-1)?.what).to.equal('a replica serves leaf 0');
  });

  it('finds that a planner which gives API servers no time loses calls, and needs one that lags for it', async () => {
    const settlesAtOnce: typeof planIssuance = (observed, policy, nowMs) =>
      planIssuance(observed, { ...policy, trustSettleMs: 0 }, nowMs);
    const scope: Scope = { ...own, accidents: 1, laws: ['L2'], plan: settlesAtOnce };
    const { violations } = await explore(scope);
    expect(violations[0]?.what).to.include('of CA 1, an API server still has [0] for target-0');
    expect(violations[0]?.history.map(({ what }) => what)).to.include.oneOf(['SECRET-ca deleted', 'CA key lost']);
    expect((await explore({ ...scope, apiServers: 1 })).violations).to.deep.equal([]);
  });

  it('finds that a planner which stops for one target that refuses its write gets nowhere (L9)', async () => {
    const stopsForOne: typeof planIssuance = (observed, ...rest) =>
      observed.targets.some(({ refused }) => refused) ? null : planIssuance(observed, ...rest);
    const scope: Scope = { ...small, targets: 2, kinds: ['target refuses writes'] };
    expect(await explore(scope)).to.include({ stuck: 0 });
    const { violations, stuck, stuckHistories } = await explore({ ...scope, plan: stopsForOne });
    expect(violations).to.deep.equal([]);
    expect(stuck).to.be.above(0);
    expect(stuckHistories[0]?.at(-1)?.what).to.equal('target refuses writes');
  });

  it('finds that a planner which never announces gets nowhere', async () => {
    const { violations, stuck, states } = await explore({ ...small, plan: announcesNothing });
    expect(violations).to.deep.equal([]);
    expect(stuck).to.equal(states);
  });
});
