import { expect } from 'chai';
import { acknowledged } from '../../streams/acknowledged.ts';
import type { Replica } from '../../streams/model.ts';

const NOW_MS = 1_000_000;

const pod = (name: string, rest: Partial<Replica> = {}): Replica => ({
  name,
  servingHash: 'new',
  ready: true,
  goneAtMs: null,
  ...rest,
});

const says = (...replicas: readonly Replica[]): boolean =>
  acknowledged(replicas, 'new', { identity: 'me', nowMs: NOW_MS });

describe('acknowledged', () => {
  it('holds when every replica says that it serves the hash', () => {
    expect(says(pod('me'))).to.equal(true);
    expect(says(pod('me'), pod('other'))).to.equal(true);
  });

  it('does not hold while one serves another, ready or not', () => {
    expect(says(pod('me'), pod('other', { servingHash: 'old' }))).to.equal(false);
    expect(says(pod('me'), pod('other', { servingHash: 'old', ready: false }))).to.equal(false);
  });

  it('waits for one that is ready and says nothing, since calls reach it', () => {
    expect(says(pod('me'), pod('other', { servingHash: null }))).to.equal(false);
  });

  it('does not wait for one that starts: it is not ready and has never served', () => {
    expect(says(pod('me'), pod('other', { servingHash: null, ready: false }))).to.equal(true);
  });

  it('does not wait for the dead, from the instant on at which they are gone', () => {
    expect(says(pod('me'), pod('other', { servingHash: 'old', goneAtMs: NOW_MS + 1 }))).to.equal(false);
    expect(says(pod('me'), pod('other', { servingHash: 'old', goneAtMs: NOW_MS }))).to.equal(true);
    expect(says(pod('me'), pod('other', { servingHash: 'old', goneAtMs: 0 }))).to.equal(true);
  });

  it('proves nothing when this replica is not among the living ones', () => {
    expect(says()).to.equal(false);
    expect(says(pod('other'))).to.equal(false);
    expect(says(pod('me', { goneAtMs: NOW_MS }), pod('other'))).to.equal(false);
    expect(says(pod('me', { servingHash: null, ready: false }), pod('other'))).to.equal(false);
  });

  it('proves nothing when the replicas cannot be seen', () => {
    expect(acknowledged('unreadable', 'new', { identity: 'me', nowMs: NOW_MS })).to.equal(false);
  });
});
