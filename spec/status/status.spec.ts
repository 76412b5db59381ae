import { expect } from 'chai';
import { initialState, type ReplicaState } from '../../src/status/replica-state.ts';
import { type StatusInput, statusOf } from '../../src/status/status.ts';
import type { Target } from '../../streams/planner-input.ts';
import { factsOf } from '../support/facts-of.ts';
import { leaseOf } from '../support/lease-of.ts';
import { pairOf } from '../support/pair-of.ts';
import { readingOf } from '../support/reading-of.ts';

const INPUT: StatusInput = {
  identity: 'me',
  leaderElection: true,
  kubeletNudge: true,
  neighbourAddress: null,
  caOverlapMs: 1,
  reasons: [],
  mountedLeaf: null,
  step: null,
  nowMs: 0,
};
const status = (state: Partial<ReplicaState> = {}, input: Partial<StatusInput> = {}) =>
  statusOf({ ...initialState(0), ...state }, { ...INPUT, ...input });

const targetsOf = (state: Target['state']) =>
  status({
    observation: {
      lease: leaseOf('a'),
      secret: 'absent',
      ca: 'absent',
      targets: [{ id: 'webhook/x', state }],
      replicas: 'pending',
    },
  }).targets;
describe('the status of the server at SERVING_ADDRESS', () => {
  const neighbourAddress = '127.0.0.1:9443';
  it('is null without one, unknown before it was seen, and then what it shows', () => {
    const shown = { kind: 'served-elsewhere', sinceMs: 0, hash: 'z', detail: 'why' } as const;
    expect(status({ shown }).neighbour).to.equal(null);
    expect(status({}, { neighbourAddress }).neighbour).to.include({ shows: 'unknown', since: null });
    expect(status({ shown }, { neighbourAddress }).neighbour).to.deep.equal({
      address: neighbourAddress,
      shows: 'served-elsewhere',
      hash: 'z',
      since: '1970-01-01T00:00:00.000Z',
      detail: 'why',
    });
  });
});

const target = (...bundles: ReturnType<typeof factsOf>[][]) => ({ resourceVersion: '1', bundles, otherManager: null });
const early = factsOf('early', { notAfterMs: 1_000 });
const late = factsOf('late', { notAfterMs: 2_000 });

describe('the status', () => {
  it('gives for a target the expiry of the CA that expires first, in any order and over all its caBundles', () => {
    const expected = [{ target: 'webhook/x', trusts: 2, notAfter: '1970-01-01T00:00:01Z' }];
    expect(targetsOf(target([early, late]))).to.deep.equal(expected);
    expect(targetsOf(target([late, early]))).to.deep.equal(expected);
    expect(targetsOf(target([late], [early, late]))).to.deep.equal(expected);
  });

  it('gives no expiry for a target without a caBundle, and neither count nor expiry for one it cannot read', () => {
    expect(targetsOf(target([]))).to.deep.equal([{ target: 'webhook/x', trusts: 0, notAfter: null }]);
    for (const state of ['pending', 'forbidden', 'absent'] as const)
      expect(targetsOf(state)).to.deep.equal([{ target: 'webhook/x', trusts: null, notAfter: null }]);
  });

  it('gives targets and replicas only of an observed cluster', () => {
    expect(status()).to.include({ targets: null, replicas: null });
  });

  it('is ready exactly without reasons', () => {
    expect(status()).to.deep.include({ ready: true, reasons: [] });
    expect(status({}, { reasons: ['draining'] })).to.deep.include({ ready: false, reasons: ['draining'] });
  });

  it('names the role: leader, candidate, or follower without leader election', () => {
    expect(status({ leading: true }).role).to.equal('leader');
    expect(status().role).to.equal('candidate');
    expect(status({}, { leaderElection: false }).role).to.equal('follower');
  });

  it('acknowledges unless that is switched off or forbidden', () => {
    expect(status().acknowledges).to.equal(true);
    expect(status({}, { kubeletNudge: false }).acknowledges).to.equal(false);
    expect(status({ isPodForbidden: true }).acknowledges).to.equal(false);
  });

  it('describes the served pair with its bundle, and the mounted certificate by its hash alone when unreadable', () => {
    const { served, bundle, mounted } = status({
      readiness: { ready: true, reasons: [], served: pairOf('a') },
      mounted: readingOf('b'),
    });
    expect(served).to.deep.equal({
      hash: 'a',
      serial: '01',
      notBefore: '1970-01-01T00:00:00Z',
      notAfter: '1970-01-01T01:00:00Z',
      names: ['svc.ns.svc'],
    });
    expect(bundle).to.deep.equal([{ subject: 'CN=ca', serial: '01', notAfter: '1970-01-01T01:00:00Z' }]);
    expect(mounted).to.deep.equal({ hash: 'b', serial: null, notBefore: null, notAfter: null, names: null });
  });
});
