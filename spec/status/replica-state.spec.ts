import { expect } from 'chai';
import {
  initialState,
  isAnnouncedMounted,
  neighbourNotes,
  reduce,
  type ReplicaState,
  unreadyReasons,
} from '../../src/status/replica-state.ts';
import type { LoadEvent } from '../../streams/load-certificate.ts';
import type { ClusterState } from '../../streams/observe-cluster.ts';
import type { ReplicaEvent } from '../../streams/replica.ts';
import type { Step } from '../../streams/step.ts';
import { clusterOf, type Sketch } from '../support/cluster-of.ts';
import { leaseOf } from '../support/lease-of.ts';
import { loads } from '../support/loads.ts';
import { pairOf } from '../support/pair-of.ts';
import { readingOf } from '../support/reading-of.ts';

/** One event per second, the first after one. */
const after = (...events: readonly ReplicaEvent[]): ReplicaState =>
  events.reduce((state, event, at) => reduce(state, event, 'me', 1_000 * (at + 1)), initialState(0));

const leaseObserved = (rest: Parameters<typeof leaseOf>[1] = {}): ReplicaEvent => ({
  type: 'lease/observed',
  lease: leaseOf('a', rest),
  via: 'watch',
  announces: true,
});
const concluded = (load: LoadEvent): ReplicaEvent => ({ type: 'certificate/concluded', load, elapsedMs: 0 });
const rejected = (reason: string) => concluded({ type: 'certificate/rejected', hash: 'a', reason, retryable: true });
const served = (hash: string, untrusted: string | null = null) =>
  concluded({ type: 'certificate/served', pair: pairOf(hash), untrusted });
const CLUSTER: ClusterState = { lease: leaseOf('a'), secret: 'absent', ca: 'absent', targets: [], replicas: [] };
const observed: ReplicaEvent = { type: 'cluster/observed', observed: CLUSTER };
const acquired: ReplicaEvent = { type: 'leadership/acquired', fence: () => true };
const STEP: Step = { kind: 'set-rotation-request', rotate: null };
const failed = (error: string): ReplicaEvent => ({
  type: 'step/failed',
  step: STEP,
  status: 500,
  error,
  retryInMs: 800,
  repeated: false,
});

describe('the state of a replica', () => {
  it('keeps what the server beside it was last seen to show, and since when, while another mount is awaited', () => {
    const seen = (...events: readonly ReplicaEvent[]) => after(...events).shown;
    const notShown = concluded(loads.notShown('a'));
    const elsewhere = { kind: 'served-elsewhere', sinceMs: 2_000, hash: 'z', detail: 'neighbour shows z' };
    expect(seen(served('z'), notShown, notShown)).to.deep.equal(elsewhere);
    expect(seen(served('z'), notShown, concluded(loads.mismatched('b', 'a')))).to.deep.equal(elsewhere);
    expect(seen(notShown, served('a'))).to.deep.equal({ kind: 'announced', sinceMs: 2_000, hash: 'a', detail: null });
    const other = concluded(
      loads.notShown('a', { kind: 'neighbour-unreachable', shown: null, detail: 'nothing listens' }),
    );
    expect(seen(notShown, other)).to.deep.equal({
      kind: 'neighbour-unreachable',
      sinceMs: 2_000,
      hash: null,
      detail: 'nothing listens',
    });
    expect(seen(notShown, concluded(loads.notShown('b')))?.sinceMs, 'another announcement').to.equal(2_000);
    expect(neighbourNotes(after(notShown))).to.deep.equal(['served-elsewhere: neighbour shows z']);
    expect(neighbourNotes(after(notShown, served('a')))).to.deep.equal([]);
    expect(neighbourNotes(after())).to.deep.equal([]);
  });

  it('knows that the announced certificate is mounted, before any handshake and while another mount is awaited', () => {
    const mounts = (hash: string): ReplicaEvent => ({
      type: 'desired/changed',
      desired: { lease: null, mounted: readingOf(hash) },
      elapsedMs: 0,
    });
    const isMounted = (...events: readonly ReplicaEvent[]) => isAnnouncedMounted(after(...events));
    expect(isMounted(mounts('a'))).to.equal(false);
    expect(isMounted(leaseObserved()), 'no file has been read').to.equal(false);
    expect(isMounted(leaseObserved(), mounts('b'))).to.equal(false);
    expect(isMounted(leaseObserved(), mounts('a'))).to.equal(true);
    expect(isMounted(leaseObserved(), mounts('b'), served('b'))).to.equal(true);
  });

  it('forgets an acknowledgement that was withdrawn', () => {
    const said: ReplicaEvent = { type: 'replica/acknowledged', hash: 'a' };
    expect(after(said, { type: 'replica/withdrawn' }).acknowledgedHash).to.equal(null);
  });

  it('begins not ready, without leadership, with the watch connecting', () => {
    expect(initialState(7)).to.deep.equal({
      startedMs: 7,
      leading: false,
      leaseSeen: false,
      leader: null,
      announced: null,
      silentHolder: null,
      mounted: null,
      load: null,
      readiness: { ready: false, reasons: ['no-announcement'], served: null },
      shown: null,
      acknowledgedHash: null,
      isPodForbidden: false,
      watch: { state: 'connecting', sinceMs: 7, error: null },
      observation: null,
      errors: { lease: null, election: null, pod: null },
      source: null,
      failing: null,
      settling: null,
      refused: [],
      rotations: [],
    });
  });

  it('takes holder and announcement from the Lease, and forgets them when the Lease is deleted', () => {
    const { leaseSeen, leader, announced } = after(leaseObserved({ holder: 'x' }));
    expect({ leaseSeen, leader, hash: announced?.hash }).to.deep.equal({ leaseSeen: true, leader: 'x', hash: 'a' });
    const deleted: ReplicaEvent = { type: 'lease/observed', lease: null, via: 'watch', announces: false };
    expect(after(leaseObserved({ holder: 'x' }), deleted)).to.include({
      leaseSeen: true,
      leader: null,
      announced: null,
    });
  });

  it('gives the reason why an announcement cannot be used together with no-announcement', () => {
    const unannounced = (malformed: string | null) => concluded({ type: 'certificate/unannounced', malformed });
    expect(unreadyReasons(after())).to.deep.equal(['no-announcement']);
    expect(unreadyReasons(after(unannounced(null)))).to.deep.equal(['no-announcement']);
    expect(unreadyReasons(after(unannounced('cert-hash is missing')))).to.deep.equal([
      'no-announcement: cert-hash is missing',
    ]);
    expect(unreadyReasons(after(unannounced('x'), served('a')))).to.deep.equal(['no-announcement']);
  });

  it('gives the reason why the Lease cannot be read, until it has been read once', () => {
    const error = 'credentials: cannot read the service account file /token: ENOENT';
    const failed: ReplicaEvent = { type: 'watch/failed', status: null, error, retryInMs: 1 };
    const unannounced = concluded({ type: 'certificate/unannounced', malformed: null });
    expect(unreadyReasons(after(unannounced, failed))).to.deep.equal([`no-announcement: ${error}`]);
    expect(unreadyReasons(after(leaseObserved({}), unannounced, failed))).to.deep.equal(['no-announcement']);
  });

  describe('while another program holds the Lease (B14)', () => {
    const held = (holder: string | null, hash: string | null = null): ReplicaEvent => ({
      type: 'lease/observed',
      lease: leaseOf(hash, { holder, durationMs: 2_000 }),
      via: 'watch',
      announces: false,
    });
    const other: ReplicaEvent = { type: 'watch/established', resourceVersion: '1' };
    const named = ['no-announcement: the Lease is held by x'];
    const unnamed = ['no-announcement'];

    it('names the holder once nothing has been announced for longer than the duration of the Lease', () => {
      expect(unreadyReasons(after(held('x'), held('x'), held('x')))).to.deep.equal(unnamed);
      expect(unreadyReasons(after(held('x'), held('x'), held('x'), held('x')))).to.deep.equal(named);
      expect(unreadyReasons(after(held('x'), other, other, other))).to.deep.equal(named);
    });

    it('does not name this replica, a new holder, or a holder that has announced or released the Lease', () => {
      for (const last of [held('y'), held('me'), held('x', 'a'), held(null)])
        expect(unreadyReasons(after(held('x'), other, other, last))).to.deep.equal(unnamed);
      expect(unreadyReasons(after(held('me'), other, other, other))).to.deep.equal(unnamed);
    });

    it('names what is wrong with the announcement rather than the holder', () => {
      const malformed = concluded({ type: 'certificate/unannounced', malformed: 'cert-hash is missing' });
      expect(unreadyReasons(after(held('x'), other, other, malformed))).to.deep.equal([
        'no-announcement: cert-hash is missing',
      ]);
    });
  });

  it('gives the reason why the leader has nothing to announce', () => {
    const seen = (sketch: Sketch): ReplicaEvent => ({
      type: 'cluster/observed',
      observed: clusterOf.observed(sketch),
    });
    const reasons = (sketch: Sketch) => unreadyReasons(after(acquired, seen(sketch)));
    expect(reasons({ secret: 'a1:A broken' })).to.deep.equal([
      'no-announcement: the Secret cannot be used: key of another certificate',
    ]);
    expect(reasons({ ca: 'A', secret: 'x1:X foreign' })).to.deep.equal([
      'no-announcement: the Secret cannot be used: it is not for this Service',
    ]);
    expect(reasons({ ca: 'foreign' })).to.deep.equal([
      'no-announcement: the CA in SECRET-ca cannot be used: its key is encrypted',
    ]);
    expect(reasons({})).to.deep.equal(['no-announcement']);
    const released: ReplicaEvent = { type: 'leadership/released' };
    expect(unreadyReasons(after(acquired, seen({ secret: 'a1:A broken' }), released))).to.deep.equal([
      'no-announcement',
    ]);
  });

  it('follows the watch with the time of its last change', () => {
    const established: ReplicaEvent = { type: 'watch/established', resourceVersion: '1' };
    const closed: ReplicaEvent = { type: 'watch/closed', reason: 'silent' };
    const unavailable: ReplicaEvent = { type: 'watch/failed', status: 500, error: 'x', retryInMs: 1 };
    expect(after(established).watch).to.deep.equal({ state: 'established', sinceMs: 1_000, error: null });
    expect(after(established, closed).watch).to.deep.equal({ state: 'closed', sinceMs: 2_000, error: null });
    expect(after(established, closed, unavailable).watch).to.deep.equal({
      state: 'failed',
      sinceMs: 3_000,
      error: 'x',
    });
  });

  it('takes what is mounted from the follower', () => {
    const mounted = readingOf('a');
    const changed: ReplicaEvent = { type: 'desired/changed', desired: { lease: null, mounted }, elapsedMs: 0 };
    expect(after(changed).mounted).to.equal(mounted);
  });

  it('counts the age of a load from the first of equal results', () => {
    expect(after(rejected('torn'), rejected('torn'), rejected('torn')).load?.sinceMs).to.equal(1_000);
    expect(after(rejected('torn'), rejected('expired')).load?.sinceMs).to.equal(2_000);
    expect(after(served('a'), served('a')).load?.sinceMs).to.equal(1_000);
    expect(after(served('a'), served('b')).load?.sinceMs).to.equal(2_000);
    expect(after(served('a', 'unknown CA'), served('a')).load?.sinceMs).to.equal(2_000);
  });

  it('takes readiness and acknowledgement as they are reported', () => {
    const readiness = { ready: true, reasons: [], served: pairOf('a') };
    const state = after({ type: 'readiness/changed', readiness }, { type: 'replica/acknowledged', hash: 'a' });
    expect(state.readiness).to.equal(readiness);
    expect(state.acknowledgedHash).to.equal('a');
  });

  it('remembers that the annotations of its Pod are forbidden', () => {
    expect(after({ type: 'pod/forbidden', error: 'no' }).isPodForbidden).to.equal(true);
  });

  it('leads from the acquisition of the Lease until it is lost or released, and then forgets the cluster', () => {
    const leading = after(acquired, observed, failed('x'));
    expect(leading).to.deep.include({ leading: true, observation: CLUSTER });
    for (const end of [{ type: 'leadership/lost', reason: 'deposed' }, { type: 'leadership/released' }] as const)
      expect(after(acquired, observed, failed('x'), end)).to.include({
        leading: false,
        observation: null,
        failing: null,
      });
  });

  it('counts a failing write from its first failure, with its newest error, until a write succeeds', () => {
    const twice = after(failed('first'), failed('second'));
    expect(twice.failing).to.deep.equal({ step: 'set-rotation-request', error: 'second', sinceMs: 1_000 });
    const done: ReplicaEvent = { type: 'step/done', step: STEP, touched: null };
    expect(after(failed('first'), done).failing).to.equal(null);
  });

  it('lists an object that refuses its write once, until its own write is accepted', () => {
    const refused = (object: string): ReplicaEvent => ({
      type: 'object/refused',
      object,
      status: 422,
      error: `${object} is invalid`,
      retryInMs: 1,
    });
    const both = after(refused('a'), refused('b'), refused('a'));
    expect(both.refused.map(({ object }) => object)).to.deep.equal(['b', 'a']);
    const accepted: ReplicaEvent = { type: 'object/accepted', object: 'b' };
    expect(after(refused('a'), refused('b'), accepted).refused).to.deep.equal([
      { object: 'a', reason: 'a is invalid' },
    ]);
  });

  it('explains no other reason than no-announcement', () => {
    const silent = { name: 'x', sinceMs: 0, leaseDurationMs: 0, isLasting: true };
    const readiness = { ready: false, reasons: ['no-announcement', 'certificate-expired'], served: null } as const;
    expect(unreadyReasons({ ...initialState(0), leaseSeen: true, silentHolder: silent, readiness })).to.deep.equal([
      'no-announcement: the Lease is held by x',
      'certificate-expired',
    ]);
  });

  it('calls a silent holder lasting only after longer than its Lease lasts, whatever the time', () => {
    const lease = leaseOf(null, { holder: 'x', durationMs: 2_000 });
    const seen: ReplicaEvent = { type: 'lease/observed', lease, via: 'watch', announces: false };
    const other: ReplicaEvent = { type: 'watch/established', resourceVersion: '1' };
    const at = (nowMs: number): ReplicaState => reduce(reduce(initialState(0), seen, 'me', 10_000), other, 'me', nowMs);
    expect([at(11_999), at(12_000), at(12_001)].map(({ silentHolder }) => silentHolder?.isLasting)).to.deep.equal([
      false,
      false,
      true,
    ]);
  });

  it('has no silent holder while nobody holds the Lease', () => {
    const released: ReplicaEvent = { type: 'lease/observed', lease: leaseOf(null), via: 'watch', announces: false };
    expect(after(released).silentHolder).to.equal(null);
  });

  it('counts a load of the same certificate from the first although its bundle has changed', () => {
    const again = concluded({
      type: 'certificate/served',
      pair: pairOf('a', { bundle: [], generation: 'gen-2' }),
      untrusted: null,
    });
    expect(after(served('a'), again).load?.sinceMs).to.equal(1_000);
  });

  it('keeps the recent rotations, of which the first may have been announced before the start', () => {
    const second: ReplicaEvent = { type: 'lease/observed', lease: leaseOf('b'), via: 'watch', announces: true };
    expect(after(leaseObserved(), second).rotations.map(({ hash, kind }) => [hash, kind])).to.deep.equal([
      ['a', 'start'],
      ['b', 'rotation'],
    ]);
  });

  it('does not change with events that say nothing about it', () => {
    const before = after(leaseObserved());
    expect(reduce(before, { type: 'kubelet/nudged', hash: 'a' }, 'me', 9_000)).to.deep.equal(before);
  });
});
