import { expect } from 'chai';
import { planIssuance } from '../../streams/plan-issuance.ts';
import { decode, encode } from './encoding.ts';
import { explore } from './explore.ts';
import { asTable, historyOver } from './history.ts';
import { startOf } from './scope.ts';
import { transitions } from './transitions.ts';

describe('a history that the model checker prints', () => {
  const scope = { issuer: 'self-signed', replicas: 1, targets: 1, apiServers: 1, leaders: 1, accidents: 2 } as const;

  it('is a table of what happened and of the objects that it changed', async () => {
    const trustsItIsTrusted: typeof planIssuance = (observed, ...rest) =>
      observed.ca === 'absent' ? planIssuance(observed, ...rest) : planIssuance({ ...observed, targets: [] }, ...rest);
    const { violations } = await explore({ ...scope, accidents: 0, laws: ['L2'], plan: trustsItIsTrusted });
    expect(violations.map(({ what }) => what)).to.deep.equal(['a replica serves leaf 0 of CA 0, target-0 trusts []']);
    expect(`\n${asTable(violations[0]?.history ?? [])}\n`).to.equal(`
   what happens                               SECRET-ca  SECRET           announced  caBundles  served
1  the leader plans issue-ca                  -          -                -          []         -
2  the leader writes issue-ca                 0 [0]
3  the leader plans issue-leaf
4  the leader reads what issue-leaf rests on
5  the leader writes issue-leaf                          leaf 0 of 0 [0]
6  the leader plans announce
7  the leader writes announce                                             leaf 0
8  a kubelet mounts leaf 0
9  a replica serves leaf 0                                                                      leaf 0 of 0
`);
  });

  it('numbers certificates as they were issued, also when no state mentions the earlier ones any more', () => {
    const issued = ['the leader plans issue-ca', 'the leader writes issue-ca'];
    const texts = [encode(startOf(scope))];
    for (const what of [...issued, 'SECRET-ca deleted', ...issued]) {
      const next = transitions(decode(texts.at(-1) ?? '', scope), scope).find(({ label }) => label === what)?.next;
      if (next !== undefined) texts.push(encode(next));
    }
    const { moments } = historyOver(texts, scope, { breach: null, isPlan: false });
    expect(moments.map(({ objects }) => objects[0])).to.deep.equal(['-', '0 [0]', '-', '-', '1 [1]']);
  });
});
