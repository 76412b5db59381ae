import { expect } from 'chai';
import { pendingOn, waitEndsMs, waitError } from '../../src/status/pending-on.ts';
import { initialState, reduce, type ReplicaState } from '../../src/status/replica-state.ts';
import type { LoadEvent } from '../../streams/load-certificate.ts';
import type { Replica } from '../../streams/model.ts';
import type { ClusterState } from '../../streams/observe-cluster.ts';
import type { ReplicaEvent } from '../../streams/replica.ts';
import { factsOf } from '../support/facts-of.ts';
import { leaseOf } from '../support/lease-of.ts';
import { loads } from '../support/loads.ts';
import { pairOf } from '../support/pair-of.ts';

const OVERLAP_MS = 3_600_000;
const concluded = (load: LoadEvent): ReplicaEvent => ({ type: 'certificate/concluded', load, elapsedMs: 0 });
const served = concluded({ type: 'certificate/served', pair: pairOf('a'), untrusted: null });
const notShown = concluded(loads.notShown('a'));
const announced: ReplicaEvent = { type: 'lease/observed', lease: leaseOf('a'), via: 'watch', announces: true };
const pod = (name: string, servingHash: string | null): Replica => ({ name, servingHash, goneAtMs: null });
const observed = (rest: Partial<ClusterState>): ReplicaEvent => ({
  type: 'cluster/observed',
  observed: {
    lease: leaseOf('a'),
    secret: 'absent',
    ca: { resourceVersion: '1', current: factsOf('A'), bundle: [factsOf('A')], otherManager: null },
    targets: [],
    replicas: [pod('me', 'a'), pod('x', 'a')],
    ...rest,
  },
});

/** One event a second, the first after one. */
const after = (...events: readonly ReplicaEvent[]): ReplicaState =>
  events.reduce((standing, event, at) => reduce(standing, event, 'me', 1_000 * (at + 1)), initialState(0));
const waitsAfter = (...events: readonly ReplicaEvent[]) =>
  pendingOn(after(...events), { identity: 'me', caOverlapMs: OVERLAP_MS, nowMs: 60_000 });

describe('what a replica waits for', () => {
  it('is the server beside it that does not show the announced certificate, since it does not', () => {
    expect(waitsAfter(announced, notShown, notShown)).to.deep.equal([
      { for: 'neighbour', sinceMs: 2_000, detail: 'served-elsewhere: neighbour shows z' },
    ]);
  });

  it('is an announcement, since its start', () => {
    expect(waitsAfter()).to.deep.equal([{ for: 'announcement', sinceMs: 0, detail: null }]);
    const unreadable = { type: 'watch/failed', status: 403, error: 'forbidden', retryInMs: 1 } as const;
    expect(waitsAfter(unreadable)).to.deep.equal([{ for: 'announcement', sinceMs: 0, detail: 'forbidden' }]);
  });

  it('is nothing once it serves what is announced', () => {
    expect(waitsAfter(announced, served)).to.deep.equal([]);
  });

  for (const [load, wait] of [
    [
      { type: 'certificate/unannounced', malformed: 'no hash' },
      { for: 'announcement', detail: 'no hash' },
    ],
    [
      { type: 'certificate/unmounted', hash: 'a' },
      { for: 'mount', detail: 'nothing is mounted' },
    ],
    [
      { type: 'certificate/mismatched', hash: 'a', filesystemHash: 'b' },
      { for: 'mount', detail: 'a different certificate is mounted' },
    ],
    [
      { type: 'certificate/rejected', hash: 'a', reason: 'expired', retryable: false },
      { for: 'usable-certificate', detail: 'expired' },
    ],
    [
      { type: 'certificate/served', pair: pairOf('a'), untrusted: 'no route' },
      { for: 'trusted-handshake', detail: 'no route' },
    ],
  ] as const satisfies readonly (readonly [LoadEvent, unknown])[])
    it(`is ${wait.for} after ${load.type}, since it was first said`, () => {
      expect(waitsAfter(announced, concluded(load), concluded({ ...load }))).to.deep.equal([
        { ...wait, sinceMs: 2_000 },
      ]);
    });

  it('is a valid certificate, since the served one has expired', () => {
    const readiness = { ready: false, reasons: ['certificate-expired'], served: pairOf('a') } as const;
    expect(waitsAfter(announced, served, { type: 'readiness/changed', readiness })[0]).to.deep.equal({
      for: 'valid-certificate',
      sinceMs: 3_600_000,
      detail: 'the served certificate has expired',
    });
  });

  it('is, for a leader, every replica that has not acknowledged, by name', () => {
    const finished = { ...pod('z', 'old'), goneAtMs: -3_600_000 };
    const replicas = [pod('me', 'a'), pod('x', 'old'), pod('y', null), finished];
    expect(waitsAfter(announced, served, observed({ replicas }))).to.deep.equal([
      { for: 'acknowledgements', sinceMs: 1_000, detail: 'x, y' },
    ]);
  });

  it('is no acknowledgement where no replica has given one, unless the removal of a CA depends on it', () => {
    const replicas = [pod('me', null), pod('x', null)];
    expect(waitsAfter(announced, served, observed({ replicas }))).to.deep.equal([]);
    const authority = {
      resourceVersion: '1',
      current: factsOf('B'),
      bundle: [factsOf('B'), factsOf('A')],
      otherManager: null,
    };
    expect(waitsAfter(announced, served, observed({ replicas, ca: authority }))[0]).to.include({
      for: 'acknowledgements',
      detail: 'me, x',
    });
  });

  it('is, for a leader, the overlap, with its end', () => {
    const authority = {
      resourceVersion: '1',
      current: factsOf('B'),
      bundle: [factsOf('B'), factsOf('A')],
      otherManager: null,
    };
    const lease = leaseOf('a', { servedSinceMs: 5_000 });
    expect(waitsAfter(announced, served, observed({ ca: authority, lease }))).to.deep.equal([
      { for: 'overlap', sinceMs: 5_000, detail: 'the older CA is removed at 1970-01-01T01:00:05Z' },
    ]);
  });

  it('is, for a leader whose next certificate waits for the API servers, their time to take up the caBundles', () => {
    const settling = { type: 'trust/settling', untilMs: 12_000 } as const;
    const waits = waitsAfter(announced, served, observed({}), settling);
    const detail = 'every API server is given until 1970-01-01T00:00:12Z to take up the caBundles';
    expect(waits.filter((wait) => wait.for === 'trust')).to.deep.equal([{ for: 'trust', sinceMs: 4_000, detail }]);
    expect(waitsAfter(announced, served, observed({}), settling, { ...settling, untilMs: null })).to.deep.equal([]);
    expect(waitsAfter(announced, served, settling, { type: 'leadership/released' })).to.deep.equal([]);
  });

  it('is, for a leader, a write that fails, since it first failed, until one succeeds', () => {
    const step = { kind: 'record-served', sinceMs: 1 } as const;
    const failed: ReplicaEvent = {
      type: 'step/failed',
      step,
      status: 403,
      error: 'forbidden',
      retryInMs: 1,
      repeated: false,
    };
    const leads: readonly ReplicaEvent[] = [announced, served, failed, failed];
    expect(waitsAfter(...leads)).to.deep.equal([{ for: 'write', sinceMs: 3_000, detail: 'record-served: forbidden' }]);
    expect(waitsAfter(...leads, { type: 'step/done', step, touched: null })).to.deep.equal([]);
    expect(waitsAfter(...leads, { type: 'leadership/lost', reason: 'deposed' })).to.deep.equal([]);
  });

  it('is no acknowledgement, for a leader, before it has seen an announcement or the replicas', () => {
    const replicas = [pod('me', 'a'), pod('x', 'old')];
    expect(waitsAfter(served, observed({ replicas }))).to.deep.equal([]);
    for (const unknown of ['pending', 'forbidden'] as const)
      expect(waitsAfter(announced, served, observed({ replicas: unknown }))).to.deep.equal([]);
  });

  it('is no overlap, for a leader, while its beginning is not recorded', () => {
    const bundle = [factsOf('B'), factsOf('A')];
    const ca = { resourceVersion: '1', current: factsOf('B'), bundle, otherManager: null };
    expect(waitsAfter(announced, served, observed({ ca }))).to.deep.equal([]);
  });

  it('is the overlap where only the Lease shows it, as with an external issuer', () => {
    const lease = leaseOf('a', { servedSinceMs: 5_000 });
    expect(waitsAfter(announced, served, observed({ ca: 'absent', lease }))[0]).to.include({ for: 'overlap' });
    const mute = [pod('me', null), pod('x', null)];
    expect(waitsAfter(announced, served, observed({ ca: 'absent', lease, replicas: mute }))[0]).to.include({
      for: 'acknowledgements',
    });
    expect(waitsAfter(announced, served, observed({ ca: 'absent', replicas: mute }))).to.deep.equal([]);
  });

  it('is acknowledgements without a name where those that are missing can no longer be serving', () => {
    const lease = leaseOf('a', { servedSinceMs: 5_000 });
    expect(waitsAfter(announced, served, observed({ lease, replicas: [] }))).to.deep.equal([
      { for: 'acknowledgements', sinceMs: 1_000, detail: null },
    ]);
  });

  it('is no valid certificate before one is served', () => {
    const readiness = { ready: false, reasons: ['certificate-expired'], served: null } as const;
    expect(waitsAfter(announced, served, { type: 'readiness/changed', readiness })).to.deep.equal([]);
    const ready = { ready: true, reasons: [], served: pairOf('a') };
    expect(waitsAfter(announced, served, { type: 'readiness/changed', readiness: ready })).to.deep.equal([]);
  });
});

describe('the last error beside a wait', () => {
  const failed = { status: 500, error: 'no', retryInMs: 1 } as const;
  const failures: readonly (readonly [Parameters<typeof waitError>[1], ReplicaEvent, ...(readonly ReplicaEvent[])])[] =
    [
      ['announcement', { type: 'watch/failed', ...failed }, announced],
      ['announcement', { type: 'lease/unread', ...failed }, announced],
      [
        'announcement',
        { type: 'leadership/failed', ...failed },
        { type: 'leadership/acquired', fence: () => true },
        { type: 'leadership/renewed' },
      ],
      [
        'mount',
        { type: 'pod/failed', hash: 'a', ...failed },
        { type: 'kubelet/nudged', hash: 'a' },
        { type: 'replica/acknowledged', hash: 'a' },
        { type: 'replica/withdrawn' },
      ],
      ['acknowledgements', { type: 'pod/forbidden', error: 'no' }, { type: 'replica/acknowledged', hash: 'a' }],
      [
        'write',
        {
          type: 'step/failed',
          step: { kind: 'set-rotation-request', rotate: null },
          repeated: false,
          ...failed,
        },
      ],
    ];
  for (const [wait, failure, ...successes] of failures) {
    it(`for ${wait} is that of ${failure.type}`, () => {
      expect(waitError(after(failure), wait)).to.equal('no');
      expect(waitError(after(failure), 'usable-certificate')).to.equal(null);
    });
    for (const success of successes)
      it(`of ${failure.type} is forgotten with ${success.type}`, () => {
        expect(waitError(after(failure, success), wait)).to.equal(null);
      });
  }

  it('is none where nothing failed', () => {
    for (const wait of ['announcement', 'mount', 'write', 'acknowledgements', 'overlap'] as const)
      expect(waitError(after(announced, served), wait), wait).to.equal(null);
  });

  it('is kept while something else succeeds', () => {
    expect(waitError(after({ type: 'pod/failed', hash: 'a', ...failed }, announced), 'mount')).to.equal('no');
  });
});

describe('the end of a wait', () => {
  const endOf = (wait: Parameters<typeof waitEndsMs>[1], ...events: readonly ReplicaEvent[]) =>
    waitEndsMs(after(...events), wait, OVERLAP_MS);

  it('is that of TRUST_SETTLE, and of CA_OVERLAP after every replica has acknowledged', () => {
    expect(endOf('trust', { type: 'trust/settling', untilMs: 9_000 })).to.equal(9_000);
    expect(endOf('overlap', observed({ lease: { ...leaseOf('a'), servedSinceMs: 5_000 } }))).to.equal(
      5_000 + OVERLAP_MS,
    );
  });

  it('is not known of what ends by an event, or has not begun', () => {
    expect(endOf('trust')).to.equal(null);
    expect(endOf('overlap')).to.equal(null);
    expect(endOf('overlap', observed({}))).to.equal(null);
    expect(endOf('mount', observed({ lease: { ...leaseOf('a'), servedSinceMs: 5_000 } }))).to.equal(null);
  });
});
