import { expect } from 'chai';
import type { Sample } from './sample.ts';
import { type Rest, type Soaked, soakVerdict } from './soak-verdict.ts';

const MINUTE_MS = 60_000;
const sampleOf = (memoryMiB: number, handles = 30): Sample => ({ memoryMiB, handles, sockets: 8, inotifyWatches: 1 });
const restOf = (handles: readonly number[], apiWatches = 7): Rest => ({
  samples: handles.map((count) => sampleOf(60, count)),
  apiWatches,
});

/** Thirty minutes of three replicas, the first of which leads. */
const soaked = (memoryAt: (minute: number) => readonly number[], rest: Partial<Soaked> = {}): Soaked => ({
  taken: Array.from({ length: 1_800 }, (_, second) => ({
    atMs: second * 1_000,
    samples: memoryAt(second / 60).map((memoryMiB) => sampleOf(memoryMiB)),
  })),
  baselineMs: 5 * MINUTE_MS,
  endMs: 30 * MINUTE_MS,
  before: restOf([30, 26, 26]),
  after: restOf([30, 26, 26]),
  heapsAtBaseline: [26, 22, 22],
  heapsAtEnd: [27, 23, 23],
  ...rest,
});

describe('the verdict on a soak', () => {
  it('finds nothing in a fleet that stays as it is', () => {
    const verdict = soakVerdict(soaked(() => [70, 60, 60]));
    expect(verdict.leftBehind).to.deep.equal([]);
    expect(verdict.memoryMiB).to.deep.equal({ baseline: 190, end: 190, growthPercent: 0 });
  });

  it('takes no notice of what was before minute five', () => {
    expect(soakVerdict(soaked((minute) => (minute < 4 ? [40, 40, 40] : [60, 60, 60]))).leftBehind).to.deep.equal([]);
  });

  it('finds more than 5 % of growth in any replica, and tells that of all', () => {
    const verdict = soakVerdict(soaked((minute) => [60 + minute, 60, 60]));
    expect(verdict.leftBehind).to.deep.equal(['memory of replica 0: 64.5 MiB, then 89.5 MiB']);
    expect(verdict.replicas.map(({ memoryMiB }) => memoryMiB.growthPerHour)).to.deep.equal([60, 0, 0]);
    expect(verdict.memoryMiB).to.deep.equal({ baseline: 184.5, end: 209.5, growthPercent: 13.5 });
    expect(soakVerdict(soaked((minute) => [60 + minute / 20, 60, 60])).leftBehind).to.deep.equal([]);
  });

  it('finds a handle or a watch that is left, not one that has moved to another replica', () => {
    const still = (): readonly number[] => [60, 60, 60];
    expect(soakVerdict(soaked(still, { after: restOf([26, 30, 26]) })).leftBehind).to.deep.equal([]);
    expect(soakVerdict(soaked(still, { after: restOf([30, 27, 26]) })).leftBehind).to.deep.equal([
      'handles: 82, then 83',
    ]);
    expect(soakVerdict(soaked(still, { after: restOf([30, 26, 26], 8) })).leftBehind).to.deep.equal([
      'watches at the API server: 7, then 8',
    ]);
  });
});
