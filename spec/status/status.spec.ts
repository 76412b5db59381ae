import { expect } from 'chai';
import { initialState, type ReplicaState } from '../../src/status/replica-state.ts';
import type { Rotation } from '../../src/status/rotations.ts';
import { type StatusInput, statusOf } from '../../src/status/status.ts';
import type { ClusterState } from '../../streams/observe-cluster.ts';
import type { Target } from '../../streams/planner-input.ts';
import { factsOf } from '../support/facts-of.ts';
import { leaseOf } from '../support/lease-of.ts';
import { pairOf } from '../support/pair-of.ts';
import { readingOf } from '../support/reading-of.ts';

const INPUT: StatusInput = {
  version: '1.2.3',
  namespace: 'ns',
  leaseName: 'hook',
  renewBeforeMs: 1_000,
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

const OBSERVATION: ClusterState = {
  lease: leaseOf('a'),
  secret: 'absent',
  ca: 'absent',
  targets: [],
  replicas: 'pending',
};
const rotation = (hash: string, announcedMs: number): Rotation => ({
  hash,
  kind: 'rotation',
  announcedMs,
  mountedMs: null,
  loadedMs: null,
  acknowledgedMs: null,
  rejected: null,
  replicas: null,
});
const targetsOf = (state: Target['state']) =>
  status({ observation: { ...OBSERVATION, targets: [{ id: 'webhook/x', state }] } }).targets;

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

  it('describes the mounted certificate when it can be read, and nothing while nothing is mounted', () => {
    expect(
      status({ mounted: readingOf('b') }, { mountedLeaf: factsOf('leaf', { serial: '07' }) }).mounted,
    ).to.deep.equal({
      hash: 'b',
      serial: '07',
      notBefore: '1970-01-01T00:00:00Z',
      notAfter: '1970-01-01T01:00:00Z',
      names: ['svc.ns.svc'],
    });
    expect(status().mounted).to.equal(null);
    expect(status({ mounted: readingOf(null) }).mounted).to.equal(null);
  });

  it('gives since when the announcement is known, by the newest rotation of its hash', () => {
    const announced = { hash: 'a', validUntil: '2026-12-06T11:12:18Z' };
    const rotations = [rotation('a', 1_000), rotation('b', 2_000), rotation('a', 3_000), rotation('c', 4_000)];
    expect(status({ announced, rotations }).announced).to.deep.equal({
      ...announced,
      since: '1970-01-01T00:00:03.000Z',
    });
    expect(status({ announced, rotations: [rotation('b', 1_000)] }).announced).to.equal(null);
    expect(status({ announced: null, rotations }).announced).to.equal(null);
  });

  it('gives the stages of each rotation, with the other replicas, as times or null', () => {
    const stages = { mountedMs: 1_500, loadedMs: 1_600, acknowledgedMs: 1_700, rejected: 'torn' };
    const replicas = [
      { name: 'x', acknowledgedMs: 1_800, witnessed: true },
      { name: 'y', acknowledgedMs: null, witnessed: false },
    ];
    const rotations = [rotation('a', 1_000), { ...rotation('b', 1_000), ...stages, replicas }];
    const unreached = { mountedAt: null, loadedAt: null, acknowledgedAt: null, rejected: null, replicas: [] };
    expect(status({ rotations }).rotations).to.deep.equal([
      { hash: 'a', kind: 'rotation', announcedAt: '1970-01-01T00:00:01.000Z', ...unreached },
      {
        hash: 'b',
        kind: 'rotation',
        announcedAt: '1970-01-01T00:00:01.000Z',
        mountedAt: '1970-01-01T00:00:01.500Z',
        loadedAt: '1970-01-01T00:00:01.600Z',
        acknowledgedAt: '1970-01-01T00:00:01.700Z',
        rejected: 'torn',
        replicas: [
          { name: 'x', acknowledgedAt: '1970-01-01T00:00:01.800Z', witnessed: true },
          { name: 'y', acknowledgedAt: null, witnessed: false },
        ],
      },
    ]);
  });

  it('names the replicas that the leader observes, without when they are gone', () => {
    const seen = { name: 'x', servingHash: 'a' };
    const observation = { ...OBSERVATION, replicas: [{ ...seen, goneAtMs: 7 }] };
    expect(status({ observation }).replicas).to.deep.equal([seen]);
    for (const replicas of ['pending', 'forbidden'] as const)
      expect(status({ observation: { ...OBSERVATION, replicas } }).replicas).to.equal(null);
  });

  it('gives what the replica waits for, its acknowledgement, and the state of the watch since its last change', () => {
    expect(status({ startedMs: 1_000, acknowledgedHash: 'a' })).to.deep.include({
      waitsFor: [{ for: 'announcement', since: '1970-01-01T00:00:01.000Z', detail: null, until: null, error: null }],
      acknowledged: { hash: 'a' },
      watch: { state: 'connecting', since: '1970-01-01T00:00:00.000Z' },
    });
    expect(status().acknowledged).to.equal(null);
    expect(status({ watch: { state: 'failed', sinceMs: 2_000, error: 'x' } }).watch).to.deep.equal({
      state: 'failed',
      since: '1970-01-01T00:00:02.000Z',
    });
  });
});

describe('the status of an installation', () => {
  it('names version, namespace and Lease', () => {
    expect(status()).to.include({ version: '1.2.3', namespace: 'ns', lease: 'hook' });
  });

  it('tells when the served certificate is renewed, unless another issuer does that', () => {
    const served = pairOf('a', { leaf: factsOf('a', { notBeforeMs: 0, notAfterMs: 900_000_000 }) });
    const readiness = { ready: true, reasons: [], served };
    expect(status({ readiness }).renewsAt).to.equal('1970-01-11T09:59:59Z');
    expect(status({ readiness }, { renewBeforeMs: null }).renewsAt).to.equal(null);
    expect(status().renewsAt).to.equal(null);
  });

  it('tells of a wait when it ends, and the last error', () => {
    const failing = { step: 'announce', error: 'no', sinceMs: 0 };
    const settling = { sinceMs: 0, untilMs: 5_000 };
    const { waitsFor } = status({ observation: OBSERVATION, failing, settling });
    expect(waitsFor.map((wait) => [wait.for, wait.until, wait.error])).to.deep.equal([
      ['announcement', null, null],
      ['write', null, 'no'],
      ['trust', '1970-01-01T00:00:05Z', null],
    ]);
  });
});
