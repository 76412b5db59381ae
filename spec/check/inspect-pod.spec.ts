import { expect } from 'chai';
import { inspectPod } from '../../src/check/inspect-pod.ts';

const goneAtMs = (nodeName: string | undefined, phase: string, deletionTimestamp?: string): number | null =>
  inspectPod(
    'p',
    'certs',
  )({
    metadata: { name: 'webhook-0', deletionTimestamp },
    spec: { nodeName, containers: [] },
    status: { phase },
  }).goneAtMs;

describe('a Pod that check reads counts as the leader counts it (D-012)', () => {
  it('while it is on a node, ready or not', () => {
    for (const phase of ['Pending', 'Running', 'Unknown']) expect(goneAtMs('node', phase), phase).to.equal(null);
  });

  it('until it is gone when it is being deleted', () => {
    const deletionTimestamp = '2026-11-23T06:00:00Z';
    expect(goneAtMs('node', 'Running', deletionTimestamp)).to.equal(Date.parse(deletionTimestamp));
  });

  it('not before it is scheduled, and not after it has finished', () => {
    expect(goneAtMs(undefined, 'Pending')).to.equal(0);
    expect(goneAtMs('', 'Pending')).to.equal(0);
    for (const phase of ['Succeeded', 'Failed']) expect(goneAtMs('node', phase), phase).to.equal(0);
  });
});
