import { createPrivateKey, X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { readCaPair } from '../../src/certificates/ca-pair.ts';
import { describeCertificates, subjectAltNames } from '../../src/certificates/certificate-info.ts';
import { splitPem } from '../../src/certificates/pem.ts';
import { secretPair } from '../../src/certificates/secret-pair.ts';
import { verifyPair } from '../../src/certificates/verify-pair.ts';
import { sha256Hex } from '../../src/util/hash.ts';
import { pki } from '../support/pki.ts';
import { corpus } from './corpus.ts';
import { type FuzzLaw, fuzzLaw } from './fuzz-law.ts';
import { mutated } from './mutated.ts';

const { good, expired, authority, foreign, nowMs } = corpus;

const armoured = (label: string, der: Buffer): Buffer =>
  Buffer.from(
    `-----BEGIN ${label}-----\n${der.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END ${label}-----\n`,
  );

const derOf = (pem: string | Buffer): Buffer => splitPem(pem)[0]?.der ?? Buffer.alloc(0);
const labels = fc.constantFrom(
  ...['CERTIFICATE', 'X509 CERTIFICATE', 'TRUSTED CERTIFICATE', 'certificate', 'PRIVATE KEY', 'RSA PRIVATE KEY'],
  ...[
    'EC PRIVATE KEY',
    'ENCRYPTED PRIVATE KEY',
    'PUBLIC KEY',
    'EC PARAMETERS',
    'CERTIFICATE REQUEST',
    '',
    'A'.repeat(50),
  ],
);
/** Whole armour around DER that is broken, or around good DER under another label. */
const rearmoured = (pems: readonly (string | Buffer)[]): fc.Arbitrary<Buffer> => {
  const ders = pems.map(derOf);
  return fc
    .tuple(labels, fc.oneof(fc.constantFrom(...ders), mutated(ders)))
    .map(([label, der]) => armoured(label, der));
};
const derBroken = (label: string, pem: string | Buffer): fc.Arbitrary<Buffer> =>
  mutated([derOf(pem)]).map((der) => armoured(label, der));

const certificates = [good.certificate, expired, authority.certificate, foreign.certificate];
const joined = (part: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> =>
  fc
    .tuple(
      fc.array(part, { minLength: 1, maxLength: 4 }),
      fc.constantFrom('', '\n', '\r', '\0', ' ', 'text\n', 'text\r'),
    )
    .map(([parts, between]) => Buffer.concat(parts.flatMap((one) => [one, Buffer.from(between)])));
const junk = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));

const certificate = fc.oneof(
  mutated(certificates),
  derBroken('CERTIFICATE', good.certificate),
  joined(
    fc.oneof(
      fc.constantFrom(...certificates.map((pem) => Buffer.from(pem))),
      rearmoured(certificates),
      mutated(certificates),
    ),
  ),
  junk,
);
const keys = [good.key, authority.key, foreign.key];
const key = fc.oneof(
  { arbitrary: fc.constant(good.key), weight: 3 },
  mutated(keys),
  derBroken('PRIVATE KEY', good.key),
  joined(rearmoured(keys)),
  junk,
);
const trust = fc.oneof(
  { arbitrary: fc.constant(authority.certificate), weight: 3 },
  mutated([authority.certificate]),
  derBroken('CERTIFICATE', authority.certificate),
  joined(rearmoured(certificates)),
  fc.constant(null),
);
const files = fc.record({ certificate, key, trust });

/** No run of sixteen characters of what was given, its armour apart, is told again. */
const repeatsNone = (told: string, given: readonly (Buffer | null)[]): void => {
  const bodies = given.map((bytes) => (bytes?.toString('latin1') ?? '').replace(/-----[^-]*-----/g, ''));
  for (let from = 0; from + 16 <= told.length; from += 1) {
    const run = told.slice(from, from + 16);
    if (/^[A-Za-z0-9+/=]{16}$/.test(run) && bodies.some((body) => body.includes(run)))
      expect.fail(`${told} repeats ${run}`);
  }
};

const served = [good.certificate, expired, authority.certificate];

export const pem: readonly FuzzLaw[] = [
  fuzzLaw(
    'never makes the check of a pair throw, and no verdict repeats any of it',
    fc.property(files, fc.boolean(), (given, external) => {
      const { certificate: crt } = given;
      const verdict = verifyPair(given, {
        hash: sha256Hex(crt),
        generation: 'g',
        names: pki.names,
        nowMs,
        external,
      });
      if (verdict.ok) return;
      expect(verdict.reason).to.match(/^[a-z-]+$/);
      expect(verdict.detail).to.not.match(/[\r\n]/);
      repeatsNone(verdict.detail, [crt, given.key, given.trust]);
    }),
  ),
  fuzzLaw(
    "is served only as it was checked: OpenSSL reads the same leaf, the key fits, and an own issuer's names do",
    fc.property(
      fc.record({
        certificate: joined(
          fc.oneof(fc.constantFrom(...served.map((one) => Buffer.from(one))), mutated(served), rearmoured(served)),
        ),
        key: fc.constant(good.key),
        trust: fc.constant(authority.certificate),
      }),
      fc.boolean(),
      (given, external) => {
        const hash = sha256Hex(given.certificate);
        const verdict = verifyPair(given, { hash, generation: 'g', names: pki.names, nowMs, external });
        if (!verdict.ok) return;
        const leaf = new X509Certificate(verdict.pair.certificate);
        expect(sha256Hex(leaf.raw)).to.equal(verdict.pair.leaf.fingerprint);
        expect(leaf.checkPrivateKey(createPrivateKey(verdict.pair.key))).to.equal(true);
        expect(nowMs).to.be.within(leaf.validFromDate.getTime(), leaf.validToDate.getTime());
        if (!external) for (const name of pki.names) expect(leaf.checkHost(name), name).to.equal(name);
      },
    ),
  ),
  fuzzLaw(
    'cut at any byte is refused, or holds whole blocks from the beginning',
    fc.property(
      fc.array(fc.constantFrom(...certificates, ...keys), { minLength: 1, maxLength: 4 }),
      fc.nat(),
      (parts, cut) => {
        const whole = Buffer.concat(parts.map((part) => Buffer.from(part)));
        const all = splitPem(whole);
        let some;
        try {
          some = splitPem(whole.subarray(0, cut % whole.length));
        } catch (error) {
          expect((error as Error).message).to.match(/^PEM block \d+ /);
          return;
        }
        expect(some).to.deep.equal(all.slice(0, some.length));
        // None that was begun is left out.
        const text = whole.subarray(0, cut % whole.length).toString('latin1');
        expect(text.match(/^-----BEGIN [A-Z ]+-----$/gm) ?? []).to.have.lengthOf(some.length);
      },
    ),
  ),
  fuzzLaw(
    'holds the same blocks whatever the line ends, the blanks behind them and the text around',
    fc.property(
      fc.array(fc.constantFrom(...certificates, ...keys), { minLength: 1, maxLength: 3 }),
      fc.constantFrom('\n', '\r\n', '\r', ' \n', '\t\r\n'),
      fc.string().filter((text) => !/^-----(BEGIN|END)|[\r\n]-----/.test(text)),
      (parts, end, text) => {
        const plain = parts.join('');
        expect(splitPem(`${text}\n${plain.replaceAll('\n', end)}${text}`)).to.deep.equal(splitPem(plain));
      },
    ),
  ),
  fuzzLaw(
    "never makes the leader's look at a Secret or a CA throw",
    fc.property(files, ({ certificate: crt, key: own, trust: ca }) => {
      const pair = secretPair({ 'tls.crt': crt, 'tls.key': own, ...(ca === null ? {} : { 'ca.crt': ca }) });
      repeatsNone(pair.problem ?? '', [crt, own]);
      for (const facts of [pair.leaf, ...pair.trust])
        if (facts !== null) expect(new Date(facts.notAfterMs).toISOString()).to.be.a('string');
      const reading = readCaPair({ certificatePem: crt.toString('latin1'), keyPem: own.toString('latin1') });
      if (!reading.ok) repeatsNone(reading.detail, [crt, own]);
      try {
        for (const facts of describeCertificates(crt)) expect(facts.pem).to.match(/^-----BEGIN CERTIFICATE-----\n/);
      } catch (error) {
        repeatsNone((error as Error).message, [crt]);
      }
    }),
  ),
  fuzzLaw(
    'of a megabyte is read in a time that grows with its length alone',
    fc.property(
      fc.oneof(fc.string(), fc.constantFrom('-----BEGIN ', '-----', '\n', '- ', 'A:', 'DNS:"\\', 'DNS:a, ', '==\n')),
      (piece) => {
        const text = piece.repeat(Math.floor(1_000_000 / Math.max(1, piece.length)));
        const startMs = performance.now();
        for (const armour of [text, `-----BEGIN CERTIFICATE-----\n${text}`]) {
          try {
            splitPem(armour);
          } catch (error) {
            expect((error as Error).message.length).to.be.below(200);
          }
        }
        subjectAltNames(text);
        expect(performance.now() - startMs).to.be.below(8_000);
      },
    ),
    100,
  ),
];
