import { expect } from 'chai';
import { nextRotations, type Rotation } from '../../src/status/rotations.ts';
import type { Replica } from '../../streams/model.ts';
import type { ReplicaEvent } from '../../streams/replica.ts';
import { leaseOf } from '../support/lease-of.ts';
import { pairOf } from '../support/pair-of.ts';
import { readingOf } from '../support/reading-of.ts';

const announced = (hash: string): ReplicaEvent => ({
  type: 'lease/observed',
  lease: leaseOf(hash),
  via: 'watch',
  announces: true,
});
const mounted = (hash: string): ReplicaEvent => ({
  type: 'desired/changed',
  desired: { lease: leaseOf(hash), mounted: readingOf(hash) },
  elapsedMs: 0,
});
const served = (hash: string): ReplicaEvent => ({
  type: 'certificate/concluded',
  load: { type: 'certificate/served', pair: pairOf(hash), untrusted: null },
  elapsedMs: 0,
});
const rejected = (hash: string, reason: string): ReplicaEvent => ({
  type: 'certificate/concluded',
  load: { type: 'certificate/rejected', hash, reason, retryable: true },
  elapsedMs: 0,
});
const acknowledged = (hash: string): ReplicaEvent => ({ type: 'replica/acknowledged', hash });
const pod = (name: string, servingHash: string | null, goneAtMs: number | null = null): Replica => ({
  name,
  servingHash,
  goneAtMs,
});
const seen = (hash: string, replicas: readonly Replica[] | 'pending'): ReplicaEvent => ({
  type: 'cluster/observed',
  observed: { lease: leaseOf(hash), secret: 'absent', ca: 'absent', targets: [], replicas },
});

/** One event a millisecond, the first at 1. */
const after = (...events: readonly ReplicaEvent[]): readonly Rotation[] =>
  events.reduce<readonly Rotation[]>(
    (rotations, event, at) =>
      nextRotations(rotations, event, { identity: 'me', nowMs: at + 1, isFirstSight: at === 0 }),
    [],
  );
const nothing: ReplicaEvent = { type: 'lease/observed', lease: null, via: 'watch', announces: false };

describe('the recent rotations', () => {
  it('have the moment of each stage, each once', () => {
    expect(
      after(
        nothing,
        announced('a'),
        mounted('a'),
        served('a'),
        acknowledged('a'),
        mounted('a'),
        served('a'),
        acknowledged('a'),
      ),
    ).to.deep.equal([
      {
        hash: 'a',
        kind: 'rotation',
        announcedMs: 2,
        mountedMs: 3,
        loadedMs: 4,
        acknowledgedMs: 5,
        rejected: null,
        replicas: null,
      },
    ]);
  });

  it('call the certificate that was found announced a start', () => {
    expect(after(announced('a'), announced('b')).map(({ kind }) => kind)).to.deep.equal(['start', 'rotation']);
  });

  it('leave alone what another announcement has overtaken', () => {
    const [first, second] = after(
      announced('a'),
      announced('b'),
      mounted('a'),
      served('a'),
      acknowledged('a'),
      mounted('b'),
    );
    expect(first).to.include({ mountedMs: null, loadedMs: null, acknowledgedMs: null });
    expect(second).to.include({ mountedMs: 6, loadedMs: null });
  });

  it('say why a certificate is rejected, for as long as it is', () => {
    expect(after(announced('a'), rejected('a', 'torn'))[0]?.rejected).to.equal('torn');
    expect(after(announced('a'), rejected('a', 'torn'), served('a'))[0]?.rejected).to.equal(null);
    expect(after(announced('a'), rejected('b', 'torn'))[0]?.rejected).to.equal(null);
  });

  it('take down when each other replica says that it serves it', () => {
    const [rotation] = after(
      announced('a'),
      seen('a', [pod('me', null), pod('x', 'old'), pod('y', null)]),
      seen('a', [pod('me', 'a'), pod('x', 'a'), pod('y', null)]),
      seen('a', [pod('me', 'a'), pod('x', 'a'), pod('y', 'a')]),
    );
    expect(rotation?.replicas).to.deep.equal([
      { name: 'x', acknowledgedMs: 3, witnessed: true },
      { name: 'y', acknowledgedMs: 4, witnessed: true },
    ]);
  });

  it('do not count as witnessed what happened before the first observation', () => {
    const [rotation] = after(announced('a'), seen('a', 'pending'), seen('a', [pod('x', 'a'), pod('y', null)]));
    expect(rotation?.replicas).to.deep.equal([
      { name: 'x', acknowledgedMs: 3, witnessed: false },
      { name: 'y', acknowledgedMs: null, witnessed: false },
    ]);
  });

  it('drop a replica that leaves before it acknowledges, and add none that joins after all have', () => {
    const here = [pod('x', 'a'), pod('y', null)];
    const [rotation] = after(
      announced('a'),
      served('a'),
      seen('a', here),
      seen('a', [pod('x', 'a'), pod('y', null, 3)]),
      seen('a', [pod('x', 'a'), pod('z', null)]),
      seen('a', [pod('x', 'a'), pod('z', 'a')]),
    );
    expect(rotation?.replicas?.map(({ name }) => name)).to.deep.equal(['x']);
  });

  it('wait for an observation that knows of the announcement', () => {
    const [, second] = after(announced('a'), announced('b'), seen('a', [pod('x', 'a')]));
    expect(second?.replicas).to.equal(null);
  });

  it('are the last six', () => {
    const hashes = Array.from('abcdefgh');
    expect(after(...hashes.map(announced)).map(({ hash }) => hash)).to.deep.equal(Array.from('cdefgh'));
  });

  it('begin once for each announcement, however often the Lease is observed', () => {
    expect(after(announced('a'), announced('a'), announced('b'), announced('a')).map(({ hash }) => hash)).to.deep.equal(
      ['a', 'b', 'a'],
    );
    expect(after(nothing, nothing)).to.deep.equal([]);
    expect(after(announced('a'), nothing).map(({ hash }) => hash)).to.deep.equal(['a']);
  });

  it('are neither rejected nor acknowledged by what concerns another certificate, or is no rejection', () => {
    const mismatched: ReplicaEvent = {
      type: 'certificate/concluded',
      load: { type: 'certificate/mismatched', hash: 'a', filesystemHash: 'b' },
      elapsedMs: 0,
    };
    expect(after(announced('a'), rejected('a', 'torn'), mismatched)[0]?.rejected).to.equal('torn');
    expect(after(announced('a'), acknowledged('b'))[0]?.acknowledgedMs).to.equal(null);
  });

  it('count a replica until the moment at which it is gone', () => {
    const names = (goneAtMs: number) =>
      after(announced('a'), seen('a', [pod('x', null, goneAtMs)]))[0]?.replicas?.map(({ name }) => name);
    expect(names(3)).to.deep.equal(['x']);
    expect(names(2)).to.deep.equal([]);
  });

  it('go on while this replica has not loaded the certificate, although all others serve it', () => {
    const [rotation] = after(announced('a'), seen('a', [pod('x', 'a')]), seen('a', [pod('x', 'a'), pod('z', null)]));
    expect(rotation?.replicas?.map(({ name }) => name)).to.deep.equal(['x', 'z']);
  });
});
