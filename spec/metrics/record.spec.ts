import { expect } from 'chai';
import { createMetrics, type Metrics, recordMetrics } from '../../src/metrics/metrics.ts';
import type { ReplicaEvent } from '../../streams/replica.ts';
import { factsOf } from '../support/facts-of.ts';
import { leaseOf } from '../support/lease-of.ts';
import { pairOf } from '../support/pair-of.ts';
import { readingOf } from '../support/reading-of.ts';

const wanted = (announced: string | null, mounted: string | null): ReplicaEvent => ({
  type: 'desired/changed',
  desired: { lease: leaseOf(announced), mounted: readingOf(mounted) },
  elapsedMs: 0,
});
const served = (hash: string, elapsedMs: number): ReplicaEvent => ({
  type: 'certificate/concluded',
  load: { type: 'certificate/served', pair: pairOf(hash), untrusted: null },
  elapsedMs,
});

/** One event a second. */
const after = (...events: readonly ReplicaEvent[]): Metrics => {
  const meters = createMetrics(['t']);
  let nowMs = 0;
  const count = recordMetrics(meters, () => nowMs);
  for (const event of events) {
    nowMs += 1_000;
    count(event);
  }
  return meters;
};
const total = (meter: Metrics['adoption'], part: '_sum' | '_count'): number | undefined =>
  meter.family().values.find(({ metricName }) => metricName?.endsWith(part))?.value;
const counted = (meter: Metrics['loads']): readonly unknown[] =>
  meter.family().values.map(({ labels, value }) => [...Object.values(labels), value]);

describe('what is measured', () => {
  it('is the time of the kubelet, from the announcement to the mount, once a certificate', () => {
    const { kubeletSync } = after(wanted('a', null), wanted('a', 'x'), wanted('a', 'a'), wanted('a', 'a'));
    expect([total(kubeletSync, '_count'), total(kubeletSync, '_sum')]).to.deep.equal([1, 2]);
  });

  it('is no time of the kubelet where the mount came first, or another announcement came between', () => {
    expect(total(after(wanted(null, 'a'), wanted('a', 'a')).kubeletSync, '_count')).to.equal(0);
    const { kubeletSync } = after(wanted('a', null), wanted('b', null), wanted('b', 'b'), wanted(null, 'b'));
    expect([total(kubeletSync, '_count'), total(kubeletSync, '_sum')]).to.deep.equal([1, 1]);
  });

  it('is no time of the kubelet where nothing is announced any more, or the Lease is gone, before the mount', () => {
    const gone: ReplicaEvent = {
      type: 'desired/changed',
      desired: { lease: null, mounted: readingOf(null) },
      elapsedMs: 0,
    };
    for (const between of [gone, wanted(null, null)])
      expect(total(after(wanted('a', null), between, wanted('a', 'a')).kubeletSync, '_count')).to.equal(0);
  });

  it('is no time of the kubelet while nothing is announced', () => {
    expect(total(after(wanted(null, 'x'), wanted(null, null)).kubeletSync, '_count')).to.equal(0);
  });

  it('is the adoption of each certificate, not of the same one with another bundle', () => {
    const { adoption, loads } = after(served('a', 500), served('a', 9_000), served('b', 250));
    expect([total(adoption, '_count'), total(adoption, '_sum')]).to.deep.equal([2, 0.75]);
    expect(counted(loads)).to.deep.equal([
      ['served', 3],
      ['rejected', 0],
    ]);
  });

  it('is how often a load is rejected, the watch starts again, a caBundle is written and fought about', () => {
    const load = { type: 'certificate/rejected', hash: 'a', reason: 'x', retryable: true } as const;
    const plannedOn = { resourceVersion: '1', bundles: [], otherManager: null };
    const meters = after(
      { type: 'certificate/concluded', load, elapsedMs: 0 },
      { type: 'watch/closed', reason: 'silent' },
      { type: 'watch/failed', status: 403, error: 'no', retryInMs: 1 },
      {
        type: 'step/done',
        step: { kind: 'inject', target: 't', trust: [factsOf('A')], plannedOn: plannedOn },
        touched: null,
      },
      { type: 'step/done', step: { kind: 'record-served', sinceMs: 1 }, touched: null },
      { type: 'object/contested', object: 't', otherManager: null },
      { type: 'object/refused', object: 't', status: 422, error: 'invalid', retryInMs: 30_000 },
    );
    expect(counted(meters.loads)).to.deep.include(['rejected', 1]);
    expect(counted(meters.watchRestarts)).to.deep.equal([
      ['silent', 1],
      ['failed', 1],
    ]);
    expect(counted(meters.caBundleWrites)).to.deep.equal([['t', 1]]);
    expect(counted(meters.contests)[0]).to.deep.equal(['t', 1]);
    expect(counted(meters.refusedWrites)).to.deep.include(['t', 1]);
  });
});
