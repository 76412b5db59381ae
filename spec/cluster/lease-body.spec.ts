import { expect } from 'chai';
import { leaseBody } from '../../src/cluster/lease-codec.ts';
import type { LeaseChange } from '../../streams/lease-writer.ts';
import type { LeaseSnapshot } from '../../streams/model.ts';

const author = { identity: 'pod-1', durationMs: 60_000, annotationPrefix: 'kubetemplater.io' };
const nowMs = Date.UTC(2026, 0, 2, 3, 4, 5, 67);
const now = '2026-01-02T03:04:05.067000Z';
const announcement = { hash: 'ab'.repeat(32), validUntil: '2026-12-06T11:12:18Z' };
const plannedOn: LeaseSnapshot = {
  uid: 'u',
  resourceVersion: '7',
  holder: 'pod-2',
  durationMs: 60_000,
  renewTime: null,
  transitions: 3,
  announcement: null,
  malformed: null,
  rotate: null,
  servedSinceMs: null,
  trusted: null,
  otherManager: null,
};
const body = (change: LeaseChange, on: Partial<LeaseSnapshot> = {}): unknown =>
  JSON.parse(JSON.stringify(leaseBody(author, change, { ...plannedOn, ...on }, nowMs)));
const annotations = (values: object): object => ({ metadata: { resourceVersion: '7', annotations: values } });

describe('leaseBody', () => {
  const held = { holderIdentity: 'pod-1', leaseDurationSeconds: 60, renewTime: now };
  const metadata = { resourceVersion: '7' };

  it('counts a transition when the holder changes, as client-go does', () => {
    const taken = { metadata, spec: { ...held, acquireTime: now, leaseTransitions: 4 } };
    expect(body({ kind: 'claim' })).to.deep.equal(taken);
    expect(body({ kind: 'claim' }, { holder: null })).to.deep.equal(taken);
    expect(body({ kind: 'claim' }, { holder: 'pod-1' })).to.deep.equal({ metadata, spec: held });
  });

  it('counts no further than an int32 can, since the API server would reject the claim', () => {
    const claim = body({ kind: 'claim' }, { transitions: 2 ** 31 - 1 });
    expect(claim).to.have.nested.property('spec.leaseTransitions', 2 ** 31 - 1);
  });

  it('renews nothing but the time', () => {
    expect(body({ kind: 'renew' }, { holder: 'pod-1' })).to.deep.equal({ metadata, spec: held });
  });

  it('releases as client-go does: nobody holds it, and for one second', () => {
    const spec = { holderIdentity: '', leaseDurationSeconds: 1, renewTime: now, acquireTime: now };
    expect(body({ kind: 'release' })).to.deep.equal({ metadata, spec });
  });

  it('announces a hash that nobody has been seen serving yet, and drops the request it fulfils', () => {
    const announced = {
      'kubetemplater.io/cert-ready': 'true',
      'kubetemplater.io/cert-hash': announcement.hash,
      'kubetemplater.io/cert-valid-until': announcement.validUntil,
      'kubetemplater.io/cert-served-since': null,
    };
    expect(body({ kind: 'announce', announcement, clearsRotationRequest: false })).to.deep.equal(
      annotations(announced),
    );
    expect(body({ kind: 'announce', announcement, clearsRotationRequest: true })).to.deep.equal(
      annotations({ ...announced, 'kubetemplater.io/rotate': null }),
    );
  });

  it('notes since when it is served, and what is asked for, or takes either back', () => {
    const one = (name: string, value: string | null): object => annotations({ [`kubetemplater.io/${name}`]: value });
    const since = '2026-01-02T03:04:05.067Z';
    expect(body({ kind: 'record-served', sinceMs: nowMs })).to.deep.equal(one('cert-served-since', since));
    const trusted = { cas: ['f00', 'ba4'], sinceMs: nowMs };
    expect(body({ kind: 'record-trusted', trusted })).to.deep.equal(one('ca-trusted-since', `${since} f00 ba4`));
    expect(body({ kind: 'record-served', sinceMs: null })).to.deep.equal(one('cert-served-since', null));
    expect(body({ kind: 'set-rotation-request', rotate: 'ca/f00' })).to.deep.equal(one('rotate', 'ca/f00'));
    expect(body({ kind: 'set-rotation-request', rotate: null })).to.deep.equal(one('rotate', null));
  });

  it('writes a duration in whole seconds, never less than one', () => {
    for (const [durationMs, seconds] of [
      [1, 1],
      [1_000, 1],
      [1_001, 2],
    ] as const) {
      const written = leaseBody({ ...author, durationMs }, { kind: 'renew' }, plannedOn, nowMs) as unknown;
      expect(written).to.have.nested.property('spec.leaseDurationSeconds', seconds);
    }
  });
});
