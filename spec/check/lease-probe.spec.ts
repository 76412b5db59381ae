import { expect } from 'chai';
import type { GetResult } from '../../src/check/get.ts';
import { probeLease } from '../../src/check/lease-probe.ts';
import type { LeaseInfo } from '../../src/check/snapshot.ts';
import { leaseOf } from '../support/lease-of.ts';

const SERVER_MS = Date.parse('2026-11-23T12:00:00Z');

const lease = (renewTime: string | null, holder: string | null = 'pod-0'): GetResult<LeaseInfo> => ({
  state: 'there',
  value: { ...leaseOf(null, { holder, renewTime }), labels: {}, annotations: {}, electedBy: null },
});

/** Reads one after the other, the last again and again, and half a second passes between two. */
const watching = (...reads: readonly GetResult<LeaseInfo>[]) => {
  let [at, ms] = [0, 0];
  return probeLease({
    read: () => Promise.resolve(reads[Math.min(at++, reads.length - 1)]!),
    monotonicMs: () => (ms += 500),
    serverMs: () => SERVER_MS,
    timeoutMs: () => 1_000,
    onWait: () => undefined,
  });
};

describe('whether the Lease lives', () => {
  it('is known by a renewal that was seen, wherever its clock stands, and that clock is told', async () => {
    const seen = await watching(lease('2026-11-23T11:00:00.000000Z'), lease('2026-11-23T11:00:02.000000Z'));
    expect(seen).to.include({ renewed: true, holderSkewMs: -3_598_000 });
  });

  it('is denied after a silence as long as it takes to call it dead, however young its renewTime looks', async () => {
    const seen = await watching(lease('2026-11-23T12:00:00.000000Z'));
    expect(seen).to.include({ renewed: false, holderSkewMs: null });
    expect(seen.watchedMs).to.be.within(1_000, 1_500);
  });

  it('begins when the Lease is created or acquired, and not when its holder releases it', async () => {
    const absent: GetResult<LeaseInfo> = { state: 'absent', why: 'not found' };
    expect((await watching(absent, lease('2026-11-23T12:00:00.000000Z'))).renewed).to.equal(true);
    expect((await watching(lease('1', null), lease('1'))).renewed).to.equal(true);
    expect((await watching(lease('1'), lease('2', null))).renewed).to.equal(false);
  });

  it('is not waited for where the Lease must not be read', async () => {
    const seen = await watching({ state: 'forbidden', why: 'no' });
    expect(seen.renewed).to.equal(false);
    expect(seen.watchedMs).to.equal(500);
  });
});
