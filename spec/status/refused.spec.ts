import { expect } from 'chai';
import { initialState, reduce } from '../../src/status/replica-state.ts';
import { statusOf } from '../../src/status/status.ts';
import type { ReplicaEvent } from '../../streams/replica.ts';

const after = (...events: readonly ReplicaEvent[]) => {
  const state = events.reduce((before, event) => reduce(before, event, 'pod-0', 0), initialState(0));
  const input = {
    version: '1.2.3',
    namespace: 'ns',
    leaseName: 'hook',
    renewBeforeMs: null,
    identity: 'pod-0',
    leaderElection: true,
    kubeletNudge: true,
    neighbourAddress: null,
    caOverlapMs: 0,
    reasons: [],
    nowMs: 0,
  };
  return statusOf(state, { ...input, mountedLeaf: null, step: null }).refused;
};

const refused = (object: string, error: string): ReplicaEvent => ({
  type: 'object/refused',
  object,
  status: 422,
  error,
  retryInMs: 1,
});

describe('/status', () => {
  it('lists each object that refuses its write, with the newest reason, until it is accepted', () => {
    expect(after()).to.deep.equal([]);
    expect(after(refused('a', 'invalid'), refused('b', 'too large'), refused('a', 'forbidden'))).to.deep.equal([
      { object: 'b', reason: 'too large' },
      { object: 'a', reason: 'forbidden' },
    ]);
    expect(after(refused('a', 'invalid'), { type: 'object/accepted', object: 'a' })).to.deep.equal([]);
    expect(after(refused('a', 'invalid'), { type: 'leadership/lost', reason: 'deposed' })).to.deep.equal([]);
  });
});
