import { expect } from 'chai';
import { tracks } from '../../src/page/tracks.ts';
import type { RotationStatus } from '../../src/status/status.ts';
import { fullStatus } from '../support/status-of-replica.ts';

const at = (ms: number): string => new Date(Date.UTC(2026, 10, 23, 6) + ms).toISOString();
const rotation = (hash: string, announcedMs: number, rest: Partial<RotationStatus> = {}): RotationStatus => ({
  hash,
  kind: 'rotation',
  announcedAt: at(announcedMs),
  mountedAt: null,
  loadedAt: null,
  acknowledgedAt: null,
  rejected: null,
  replicas: [],
  ...rest,
});
const seen = (identity: string, rotations: readonly RotationStatus[], rest: Partial<typeof fullStatus> = {}) => ({
  name: identity,
  status: { ...fullStatus, identity, rotations, ...rest },
});

describe('the tracks of recent rotations', () => {
  it('are the newest rotation first, and in it every replica by name', () => {
    const [newest, older, ...more] = tracks([
      seen('pod-1', [rotation('a', 0), rotation('b', 60_000)]),
      seen('pod-0', [rotation('b', 60_020)]),
    ]);
    expect(more).to.deep.equal([]);
    expect([newest?.hash, newest?.isCurrent, older?.hash, older?.isCurrent]).to.deep.equal(['b', true, 'a', false]);
    expect(newest?.tracks.map(({ name, announcedMs }) => [name, announcedMs])).to.deep.equal([
      ['pod-0', 20],
      ['pod-1', 0],
    ]);
  });

  it('believe a replica more than what its Pod says of it', () => {
    const witness = { acknowledgedAt: at(4_100), witnessed: true };
    const leader = seen('pod-0', [
      rotation('a', 0, {
        replicas: [
          { name: 'pod-1', ...witness },
          { name: 'pod-2', ...witness },
        ],
      }),
    ]);
    const follower = seen('pod-1', [rotation('a', 5, { mountedAt: at(4_005), loadedAt: at(4_037) })], {
      role: 'candidate',
    });
    const [found] = tracks([leader, follower]);
    expect(
      found?.tracks.map(({ name, source, mountedMs, acknowledgedMs, isLeader }) => [
        name,
        source,
        mountedMs,
        acknowledgedMs,
        isLeader,
      ]),
    ).to.deep.equal([
      ['pod-0', 'own', null, null, true],
      ['pod-1', 'own', 4_005, null, false],
      ['pod-2', 'pod', null, 4_100, false],
    ]);
  });

  it('are done with the acknowledgement, or with the load where none is to come', () => {
    const loaded = rotation('a', 0, { loadedAt: at(10) });
    const isDone = (one: RotationStatus, acknowledges: boolean) =>
      tracks([seen('pod-0', [one], { acknowledges })])[0]?.tracks[0]?.isDone;
    expect(isDone(loaded, true)).to.equal(false);
    expect(isDone({ ...loaded, acknowledgedAt: at(20) }, true)).to.equal(true);
    expect(isDone(loaded, false)).to.equal(true);
    expect(isDone(rotation('a', 0), false)).to.equal(false);
  });

  it('tell a certificate that is announced again once, by its newest announcement', () => {
    const [newest, ...more] = tracks([seen('pod-0', [rotation('a', 0), rotation('b', 1_000), rotation('a', 2_000)])]);
    expect([newest?.hash, newest?.announcedAt, newest?.tracks.length]).to.deep.equal(['a', at(2_000), 1]);
    expect(more.map(({ hash }) => hash)).to.deep.equal(['b']);
  });

  it('know nothing of replicas that do not answer', () => {
    expect(tracks([{ name: 'pod-0', status: null }])).to.deep.equal([]);
  });
});
