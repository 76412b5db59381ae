import { expect } from 'chai';
import { allAcknowledged } from '../../streams/acknowledged.ts';
import type { Replica } from '../../streams/model.ts';

const NOW_MS = 1_800_000_000_000;
const HOUR_MS = 3_600_000;

const pod = (name: string, rest: Partial<Replica> = {}): Replica => ({
  name,
  servingHash: 'new',
  goneAtMs: null,
  ...rest,
});

const says = (...replicas: readonly Replica[]): boolean =>
  allAcknowledged(replicas, 'new', { identity: 'me', nowMs: NOW_MS });

describe('acknowledged', () => {
  it('holds when every replica says that it serves the hash', () => {
    expect(says(pod('me'))).to.equal(true);
    expect(says(pod('me'), pod('other'))).to.equal(true);
  });

  it('does not hold while one serves another', () => {
    expect(says(pod('me'), pod('other', { servingHash: 'old' }))).to.equal(false);
  });

  it('waits for one that says nothing, since it may go on with what it read before it was stopped', () => {
    expect(says(pod('me'), pod('other', { servingHash: null }))).to.equal(false);
  });

  it('waits for one that is being deleted until its object is gone, whatever this clock says', () => {
    expect(says(pod('me'), pod('other', { servingHash: 'old', goneAtMs: NOW_MS + 1 }))).to.equal(false);
    expect(says(pod('me'), pod('other', { servingHash: 'old', goneAtMs: NOW_MS - HOUR_MS + 1 }))).to.equal(false);
  });

  it('does not wait for what runs nowhere, nor for what should have been gone an hour ago', () => {
    expect(says(pod('me'), pod('other', { servingHash: 'old', goneAtMs: 0 }))).to.equal(true);
    expect(says(pod('me'), pod('other', { servingHash: 'old', goneAtMs: NOW_MS - HOUR_MS }))).to.equal(true);
  });

  it('proves nothing when this replica is not among the living ones', () => {
    expect(says()).to.equal(false);
    expect(says(pod('other'))).to.equal(false);
    expect(says(pod('me', { goneAtMs: 0 }), pod('other'))).to.equal(false);
    expect(says(pod('me', { servingHash: null }), pod('other'))).to.equal(false);
  });

  it('proves nothing when the replicas cannot be seen', () => {
    expect(allAcknowledged('forbidden', 'new', { identity: 'me', nowMs: NOW_MS })).to.equal(false);
  });
});
