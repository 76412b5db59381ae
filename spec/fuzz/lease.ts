import { expect } from 'chai';
import fc from 'fast-check';
import { $ZodError } from 'zod/v4/core';
import { decodeCa, decodeSecret, decodeTarget } from '../../src/cluster/decode.ts';
import { leaseSchema } from '../../src/cluster/lease-codec.ts';
import { replicaObject } from '../../src/cluster/pods.ts';
import { ApiError } from '../../src/kube/errors.ts';
import { corpus } from './corpus.ts';
import { type FuzzLaw, fuzzLaw } from './fuzz-law.ts';
import { mutated } from './mutated.ts';

const PREFIX = 'kubetemplater.io';
const hash = 'ab'.repeat(32);
const validUntil = '2026-12-06T11:12:18Z';

/** A value that is right, nearly right, or anything. */
const near = (right: string): fc.Arbitrary<unknown> =>
  fc.oneof(
    { arbitrary: fc.constant(right), weight: 3 },
    mutated([right]).map(String),
    fc.constantFrom(right.toUpperCase(), ` ${right}`, `${right}\n`, right.slice(1), right.repeat(2_000), ''),
    fc.anything(),
  );
const annotations = fc.record(
  {
    [`${PREFIX}/cert-ready`]: near('true'),
    [`${PREFIX}/cert-hash`]: near(hash),
    [`${PREFIX}/cert-valid-until`]: near(validUntil),
    [`${PREFIX}/cert-served-since`]: near('2026-01-02T03:04:05.678Z'),
    [`${PREFIX}/rotate`]: near(`ca/${hash}`),
  },
  { requiredKeys: [] },
);
const metadata = fc.record({
  uid: fc.constant('u'),
  resourceVersion: fc.constant('7'),
  annotations: fc.oneof({ arbitrary: annotations, weight: 9 }, fc.anything()),
});
const spec = fc.record(
  {
    holderIdentity: fc.anything(),
    leaseDurationSeconds: fc.anything(),
    renewTime: near(validUntil),
    leaseTransitions: fc.anything(),
  },
  { requiredKeys: [] },
);
const lease = fc.oneof(
  { arbitrary: fc.record({ metadata, spec: fc.oneof(spec, fc.anything()) }), weight: 9 },
  fc.anything(),
  fc.jsonValue(),
);

/** Written apart from the parser: calendar and clock checked by counting. */
const isMoment = (text: string): boolean => {
  const parts = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:Z|[+-](\d\d):(\d\d))$/
    .exec(text)
    ?.slice(1)
    .map(Number);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts ?? [0, 0, 0, 99];
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
  return day >= 1 && day <= days && hour <= 24 && minute <= 59 && second <= 59;
};

const base64 = (arbitrary: fc.Arbitrary<Buffer>): fc.Arbitrary<unknown> =>
  fc.oneof({ arbitrary: arbitrary.map((bytes) => bytes.toString('base64')), weight: 4 }, fc.string(), fc.anything());
const certificates = base64(mutated([corpus.good.certificate, corpus.authority.certificate, corpus.expired]));
const keys = base64(mutated([corpus.good.key, corpus.authority.key]));
const secretValues = fc.record(
  {
    'tls.crt': certificates,
    'tls.key': keys,
    'ca.crt': certificates,
    'ca.key': keys,
    'ca-bundle.crt': certificates,
    'ca-bridge.crt': certificates,
  },
  { requiredKeys: [] },
);
const some = (arbitrary: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ arbitrary, weight: 9 }, fc.anything());
const object = fc.oneof(
  fc.record({ metadata: fc.constant({ resourceVersion: '1' }), data: some(secretValues) }),
  fc.record({
    metadata: some(
      fc.record(
        { resourceVersion: fc.constant('1'), managedFields: fc.anything() },
        { requiredKeys: ['resourceVersion'] },
      ),
    ),
    webhooks: some(fc.array(fc.record({ clientConfig: some(fc.record({ caBundle: certificates })) }))),
    spec: some(
      fc.record({
        caBundle: certificates,
        service: fc.anything(),
        conversion: some(
          fc.record({ webhook: fc.record({ clientConfig: some(fc.record({ caBundle: certificates })) }) }),
        ),
      }),
    ),
  }),
  fc.record({
    metadata: some(
      fc.record(
        { name: fc.string(), annotations: fc.anything(), deletionTimestamp: near(validUntil) },
        { requiredKeys: ['name'] },
      ),
    ),
    status: fc.anything(),
  }),
  fc.anything(),
);

const readers: readonly ((object: unknown) => unknown)[] = [
  decodeSecret,
  decodeCa,
  decodeTarget('validatingwebhookconfiguration', { serviceName: 'svc', namespace: 'ns', serviceNames: [] }),
  decodeTarget('customresourcedefinition', { serviceName: 'svc', namespace: 'ns', serviceNames: [] }),
  decodeTarget('apiservice', { serviceName: 'svc', namespace: 'ns', serviceNames: [] }),
  replicaObject(PREFIX),
];

export const leaseLaws: readonly FuzzLaw[] = [
  fuzzLaw(
    'is a snapshot or no Lease at all, and announces nothing but a hash of 64 lower-case hex digits and a moment',
    fc.property(lease, (given) => {
      let snapshot;
      try {
        snapshot = leaseSchema(PREFIX, 'webhook-certd').parse(given);
      } catch (error) {
        expect(error).to.be.instanceOf(ApiError);
        return;
      }
      const { announcement, malformed, rotate, durationMs } = snapshot;
      expect(announcement === null || malformed === null).to.equal(true);
      expect(durationMs).to.be.above(0);
      expect(rotate?.length ?? 0).to.be.at.most(128);
      if (announcement === null) return;
      for (const digit of announcement.hash.split('')) expect('0123456789abcdef').to.include(digit);
      expect(announcement.hash).to.have.length(64);
      expect(isMoment(announcement.validUntil), announcement.validUntil).to.equal(true);
    }),
  ),
  fuzzLaw(
    'or any other object is read or refused as such, so that none can pass for a bug of the daemon',
    fc.property(fc.constantFrom(...readers), object, (read, given) => {
      try {
        read(given);
      } catch (error) {
        expect(error).to.be.instanceOf($ZodError);
      }
    }),
  ),
];
