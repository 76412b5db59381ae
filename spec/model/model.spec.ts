import { expect } from 'chai';
import { planIssuance } from '../../streams/plan-issuance.ts';
import { explore } from './explore.ts';
import type { Scope } from './transitions.ts';

describe('the model checker', function () {
  this.timeout(120_000);

  const scopes: readonly (readonly [name: string, scope: Scope, least: number])[] = [
    [
      'two targets and two accidents',
      { issuer: 'self-signed', replicas: 1, targets: 2, leaders: 1, accidents: 2 },
      3_000,
    ],
    [
      'two replicas and two accidents',
      { issuer: 'self-signed', replicas: 2, targets: 1, leaders: 1, accidents: 2 },
      20_000,
    ],
    ['two leaders at once', { issuer: 'self-signed', replicas: 1, targets: 1, leaders: 2, accidents: 1 }, 500],
    [
      'an external issuer that renews three times',
      { issuer: 'external', replicas: 1, targets: 2, leaders: 1, accidents: 3 },
      1_000,
    ],
  ];
  for (const [name, scope, least] of scopes)
    it(`finds no state that breaks L2, and none from which the goal cannot be reached: ${name}`, () => {
      const { states, violations, stuck, stuckTraces } = explore(scope);
      expect(violations).to.deep.equal([]);
      expect(stuckTraces).to.deep.equal([]);
      expect(stuck).to.equal(0);
      expect(states).to.be.above(least);
    });

  /** A planner that takes every target for one that trusts everything it should. */
  const widensNothing: typeof planIssuance = (observed, ...rest) => planIssuance({ ...observed, targets: [] }, ...rest);
  const announcesNothing: typeof planIssuance = (...input) => {
    const step = planIssuance(...input);
    return step?.kind === 'announce' ? null : step;
  };
  const small: Scope = { issuer: 'self-signed', replicas: 1, targets: 1, leaders: 1, accidents: 1 };

  it('finds a shortest history to a planner that announces before it widens', () => {
    const { violations } = explore({ ...small, plan: widensNothing });
    expect(violations).to.have.lengthOf(1);
    expect(violations[0]?.law).to.equal('L2');
    expect(violations[0]?.trace.at(-1)).to.equal('replica-0 serves leaf 0');
  });

  it('finds that a planner which stops for one target that refuses its write gets nowhere (L9)', () => {
    const stopsForOne: typeof planIssuance = (observed, ...rest) =>
      observed.targets.some(({ refused }) => refused) ? null : planIssuance(observed, ...rest);
    const scope: Scope = { ...small, targets: 2, kinds: ['target refuses writes'] };
    expect(explore(scope)).to.include({ stuck: 0 });
    const { violations, stuck, stuckTraces } = explore({ ...scope, plan: stopsForOne });
    expect(violations).to.deep.equal([]);
    expect(stuck).to.be.above(0);
    expect(stuckTraces[0]?.at(-1)).to.equal('target refuses writes');
  });

  it('finds that a planner which never announces gets nowhere', () => {
    const { violations, stuck, states } = explore({ ...small, plan: announcesNothing });
    expect(violations).to.deep.equal([]);
    expect(stuck).to.equal(states);
  });
});
