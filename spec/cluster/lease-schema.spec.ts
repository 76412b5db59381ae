import { expect } from 'chai';
import * as fc from 'fast-check';
import { leaseSchema } from '../../src/cluster/lease-codec.ts';
import { ApiError } from '../../src/kube/errors.ts';

const prefix = 'kubetemplater.io';
const hash = 'ab'.repeat(32);
const validUntil = '2026-12-06T11:12:18Z';
const good = { 'cert-ready': 'true', 'cert-hash': hash, 'cert-valid-until': validUntil };

const lease = (values: Readonly<Record<string, unknown>>, spec: object = {}): object => {
  const annotations = Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}/${name}`, value]));
  return { kind: 'Lease', metadata: { uid: 'u', resourceVersion: '7', name: 'l', annotations }, spec };
};
const read = (object: unknown): ReturnType<ReturnType<typeof leaseSchema>['parse']> =>
  leaseSchema(prefix, 'me').parse(object);
const malformedOf = (values: Readonly<Record<string, unknown>>): string | null => {
  const { announcement, malformed } = read(lease(values));
  expect(announcement === null || malformed === null, 'never both').to.equal(true);
  return malformed;
};

describe('leaseSchema', () => {
  it('reads a Lease', () => {
    const spec = {
      holderIdentity: 'pod-1',
      leaseDurationSeconds: 60,
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:00:15.000000Z',
      leaseTransitions: 3,
    };
    const served = { 'cert-served-since': '2026-01-02T03:04:05.678Z', rotate: 'ca/f00' };
    const trusted = { 'ca-trusted-since': `2026-01-02T03:04:05.678Z ${hash}` };
    expect(read(lease({ ...good, ...served, ...trusted }, spec))).to.deep.equal({
      uid: 'u',
      resourceVersion: '7',
      holder: 'pod-1',
      durationMs: 60_000,
      renewTime: '2026-01-01T00:00:15.000000Z',
      transitions: 3,
      announcement: { hash, validUntil },
      malformed: null,
      rotate: 'ca/f00',
      servedSinceMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
      trusted: { cas: [hash], sinceMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678) },
      otherManager: null,
    });
  });

  it('names the prefix of an announcement under another prefix, as after a change of ANNOTATION_PREFIX', () => {
    const schema = leaseSchema(prefix, 'me');
    const other = { metadata: { uid: 'u', resourceVersion: '1', annotations: { 'other.example/cert-hash': hash } } };
    expect(schema.parse(other)).to.include({
      announcement: null,
      malformed: `ANNOTATION_PREFIX is ${prefix}, but the Lease carries an announcement under other.example`,
    });
    const none = { metadata: { uid: 'u', resourceVersion: '2', annotations: {} } };
    expect(schema.parse(none)).to.include({ announcement: null, malformed: null });
    const both = {
      [`${prefix}/cert-ready`]: 'true',
      [`${prefix}/cert-hash`]: hash,
      [`${prefix}/cert-valid-until`]: validUntil,
    };
    const announced = {
      metadata: { uid: 'u', resourceVersion: '3', annotations: { ...other.metadata.annotations, ...both } },
    };
    expect(schema.parse(announced)).to.deep.include({ announcement: { hash, validUntil }, malformed: null });
  });

  it('names the other manager that wrote the announcement', () => {
    const wrote = (manager: string, annotation: string) => ({
      manager,
      fieldsV1: { 'f:metadata': { 'f:annotations': { [`f:${annotation}`]: {} } } },
    });
    const annotations = { [`${prefix}/cert-hash`]: hash };
    const rivalAmong = (...managedFields: readonly unknown[]): string | null =>
      read({ metadata: { uid: 'u', resourceVersion: '1', annotations, managedFields } }).otherManager;
    expect(rivalAmong(wrote('me', `${prefix}/cert-hash`))).to.equal(null);
    expect(rivalAmong(wrote('argo', `${prefix}/rotate`), wrote('helm', `${prefix}/cert-hash`))).to.equal('helm');
    expect(rivalAmong('garbage', 7)).to.equal(null);
  });

  it('takes no time since which CAs are trusted from a text that is none', () => {
    for (const text of [
      '',
      'now',
      '2026-01-02T03:04:05Z',
      `2026-01-02T03:04:05Z ${hash.slice(1)}`,
      `${hash} ${hash}`,
      `2026-01-02T03:04:05Z ${hash} f00`,
    ])
      expect(read(lease({ ...good, 'ca-trusted-since': text })).trusted, text).to.equal(null);
    expect(read(lease({ 'ca-trusted-since': `2026-01-02T03:04:05Z ${hash} ${hash}` })).trusted?.cas).to.have.lengthOf(
      2,
    );
  });

  it('finds nothing on a Lease that nobody has touched, and no fault with it', () => {
    const bare = { metadata: { uid: 'u', resourceVersion: '1' } };
    expect(read(bare)).to.deep.equal({
      uid: 'u',
      resourceVersion: '1',
      holder: null,
      durationMs: 15_000,
      renewTime: null,
      transitions: 0,
      announcement: null,
      malformed: null,
      rotate: null,
      servedSinceMs: null,
      trusted: null,
      otherManager: null,
    });
    expect(read(lease({}, { holderIdentity: '' })).holder, 'released').to.equal(null);
    expect(malformedOf({ rotate: 'leaf' })).to.equal(null);
  });

  it('reads the annotations again when one of them has changed, and only then', () => {
    const schema = leaseSchema(prefix, 'me');
    const full = { ...good, rotate: 'leaf', 'cert-served-since': '2026-01-02T03:04:05Z' };
    const seen = (values: Readonly<Record<string, unknown>>, renewTime: string) =>
      schema.parse(lease(values, { renewTime }));
    const [first, renewed] = [seen(full, 'one'), seen(full, 'two')];
    expect(renewed).to.deep.equal({ ...first, renewTime: 'two' });
    expect(renewed.announcement, 'a renewal').to.equal(first.announcement);
    for (const name of Object.keys(full)) {
      for (const value of ['another', undefined, 7])
        expect(seen({ ...full, [name]: value }, 'two')).to.deep.equal(
          read(lease({ ...full, [name]: value }, { renewTime: 'two' })),
        );
      expect(seen(full, 'two'), `${name} is back`).to.deep.equal(renewed);
    }
    expect(seen({}, 'two')).to.deep.equal(read(lease({}, { renewTime: 'two' })));
  });

  it('reads no other prefix', () => {
    const { metadata } = lease(good) as { metadata: object };
    expect(leaseSchema('other.io', 'me').parse({ metadata })).to.include({ announcement: null });
  });

  it('says why an announcement cannot be used', () => {
    for (const ready of [undefined, 'false', 'True', '', ' true', '1', true]) {
      expect(malformedOf({ ...good, 'cert-ready': ready })).to.equal('cert-ready is not "true"');
    }
    expect(malformedOf({ 'cert-ready': 'true' })).to.equal('cert-hash is missing');
    for (const bad of ['', hash.toUpperCase(), hash.slice(1), `${hash}0`, `${hash}\n`, ` ${hash}`, 'g'.repeat(64)]) {
      expect(malformedOf({ ...good, 'cert-hash': bad })).to.equal('cert-hash is not 64 lower-case hex digits');
    }
    expect(malformedOf({ 'cert-ready': 'true', 'cert-hash': hash })).to.equal('cert-valid-until is missing');
    for (const bad of [
      '',
      'soon',
      '2026-12-06',
      '1',
      'Dec 6 2026',
      '2026-12-06T11:12:18',
      '2026-02-30T00:00:00Z',
      '2026-13-01T00:00:00Z',
      '2026-12-06T25:00:00Z',
      `${validUntil}\n`,
    ]) {
      expect(malformedOf({ ...good, 'cert-valid-until': bad }), bad).to.equal('cert-valid-until is not RFC 3339');
    }
    for (const fine of ['2026-12-06T11:12:18.5Z', '2026-12-06T11:12:18+02:00', '2028-02-29T00:00:00Z']) {
      expect(malformedOf({ ...good, 'cert-valid-until': fine }), fine).to.equal(null);
    }
  });

  it('keeps what a hostile annotation holds out of the snapshot', () => {
    const huge = 'x'.repeat(200_000);
    const snapshot = read(
      lease({
        'cert-ready': huge,
        'cert-hash': huge,
        'cert-valid-until': huge,
        rotate: huge,
        'cert-served-since': huge,
      }),
    );
    expect(JSON.stringify(snapshot).length).to.be.below(600);
    expect(snapshot.servedSinceMs).to.equal(null);
  });

  it('never throws for garbage in annotations and spec', () => {
    const names = fc.constantFrom(
      'cert-ready',
      'cert-hash',
      'cert-valid-until',
      'rotate',
      'cert-served-since',
      'other',
    );
    fc.assert(
      fc.property(
        fc.dictionary(names, fc.anything()),
        fc.oneof(
          fc.anything(),
          fc.record({
            holderIdentity: fc.anything(),
            leaseDurationSeconds: fc.anything(),
            renewTime: fc.anything(),
            leaseTransitions: fc.anything(),
          }),
        ),
        (values, spec) => {
          const snapshot = read({ ...lease(values), spec });
          expect(snapshot.durationMs).to.be.above(0);
          expect(snapshot.announcement === null || snapshot.malformed === null).to.equal(true);
        },
      ),
    );
    expect(read({ metadata: { uid: 'u', resourceVersion: '1', annotations: 'none' } }).announcement).to.equal(null);
    // An object that cannot be converted to text.
    expect(read(lease({ 'cert-hash': { toString: 0 } })).malformed).to.equal(null);
  });

  it('refuses what is not a Lease at all', () => {
    for (const other of [
      null,
      'x',
      [],
      {},
      { metadata: {} },
      { ...lease(good), kind: 'Pod' },
      { metadata: { uid: 'u' } },
    ]) {
      expect(() => read(other)).to.throw(ApiError, /^the Lease: unexpected response: /);
    }
  });
});
