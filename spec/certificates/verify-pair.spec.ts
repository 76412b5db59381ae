import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { describeCertificates } from '../../src/certificates/certificate-info.ts';
import { crossSign, issueCa } from '../../src/certificates/issue.ts';
import {
  type PairExpectation,
  type PairFault,
  type PairFiles,
  verifyPair,
} from '../../src/certificates/verify-pair.ts';
import { sha256Hex } from '../../src/util/hash.ts';
import { corpus } from '../fuzz/corpus.ts';
import { type MountedPair, openssl, pki, weakPair } from '../support/pki.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const hourMs = 3_600_000;

const check = (files: PairFiles & { readonly hash: string }, wanted: Partial<PairExpectation> = {}) =>
  verifyPair(files, {
    hash: files.hash,
    generation: 'g',
    names: pki.names,
    nowMs: Date.now(),
    external: false,
    ...wanted,
  });

const fault = (files: PairFiles & { readonly hash: string }, wanted: Partial<PairExpectation> = {}) => {
  const verdict = check(files, wanted);
  if (verdict.ok) return null;
  const { reason, retryable } = verdict;
  return { reason, retryable };
};

const lasting = (reason: PairFault) => ({ reason, retryable: false });

describe('checkPair', () => {
  it('lets a good pair through with its facts and its bytes', async () => {
    const good = await pki.pair();

    const verdict = check(good);

    if (!verdict.ok) return expect.fail(verdict.detail);
    expect(verdict.pair).to.include({ hash: good.hash, generation: 'g' });
    expect(verdict.pair.leaf.names).to.deep.equal(pki.names);
    expect(verdict.pair.advice).to.be.empty;
    expect(verdict.pair.bundle).to.deep.equal(describeCertificates(good.trust));
    expect(verdict.pair.certificate).to.deep.equal(good.certificate);
    expect(verdict.pair.key).to.equal(good.key);
    expect(verdict.pair.trust).to.equal(good.trust);
  });

  it('has the leaf served that was checked, where OpenSSL would find another one in the file', () => {
    const { good, expired, authority, nowMs } = corpus;
    const old = expired.toString().replaceAll(' CERTIFICATE', ' X509 CERTIFICATE');
    const files = pki.mounted(old + good.certificate.toString(), good.key, authority.certificate);
    const opensslFinds = new X509Certificate(files.certificate);
    expect(opensslFinds.validToDate.getTime()).to.be.below(nowMs);

    const verdict = check(files, { nowMs });

    if (!verdict.ok) return expect.fail(verdict.detail);
    expect(sha256Hex(new X509Certificate(verdict.pair.certificate).raw)).to.equal(verdict.pair.leaf.fingerprint);
    expect(verdict.pair.certificate).to.deep.equal(good.certificate);
  });

  const bad: readonly (readonly [string, () => Promise<MountedPair>, PairFault])[] = [
    ['torn', () => pki.torn(), 'not-pem'],
    ['garbage', () => pki.garbage(), 'not-pem'],
    ['expired', () => pki.expired(), 'expired'],
    ['for other names', () => pki.wrongNames(), 'missing-names'],
    ['with the key of another', () => pki.mismatched(), 'key-mismatch'],
    ['with a key behind a passphrase', () => pki.encryptedKey(), 'key-encrypted'],
    ['of an authority nobody trusts', () => pki.untrusted(), 'untrusted-chain'],
  ];
  for (const [what, make, reason] of bad) {
    it(`rejects a pair that is ${what} for good`, async () => {
      expect(fault(await make())).to.deep.equal(lasting(reason));
    });
  }

  it('rejects a certificate that is not the announced one, and names both hashes', async () => {
    const [good, other] = await Promise.all([pki.pair(), pki.pair()]);

    expect(check(good, { hash: other.hash }))
      .to.include({ reason: 'hash-mismatch' })
      .with.property('detail')
      .that.includes(good.hash)
      .and.includes(other.hash);
  });

  it('holds back a pair that is not valid yet, until it is', async () => {
    const early = await pki.notYetValid();

    expect(fault(early)).to.deep.equal({ reason: 'not-yet-valid', retryable: true });
    expect(fault(early, { nowMs: Date.now() + 86_400_000 })).to.equal(null);
  });

  it('says which names are missing, and takes a wildcard for exactly one label', async () => {
    const files = await pki.pair({ names: ['*.ns.svc', '10.0.0.1'] });

    expect(fault(files, { names: ['a.ns.svc', '10.0.0.1', '*.ns.svc'] })).to.equal(null);
    expect(check(files, { names: ['a.ns.svc', 'ns.svc', 'a.b.ns.svc', '10.0.0.2'] })).to.deep.include({
      reason: 'missing-names',
      detail: 'the certificate lacks ns.svc, a.b.ns.svc, 10.0.0.2',
    });
  });

  it('rejects trust it cannot read, whichever way', async () => {
    const good = await pki.pair();
    for (const trust of [null, Buffer.alloc(0), good.key, good.trust.subarray(0, 100)]) {
      expect(fault({ ...good, trust })).to.deep.equal(lasting('trust-unreadable'));
    }
  });

  it('rejects keys it cannot use, and never repeats any of them', async () => {
    const good = await pki.pair();
    const { privateKey: odd } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
    const keys = [
      Buffer.alloc(0),
      good.certificate,
      good.key.subarray(0, 100),
      Buffer.from('-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n'),
      Buffer.from(odd.export({ type: 'pkcs8', format: 'pem' })),
    ];
    for (const key of keys) {
      const verdict = check({ ...good, key });
      expect(verdict).to.include({ reason: 'key-unusable', retryable: false });
      expect(JSON.stringify(verdict)).not.to.match(/c2VjcmV0|BEGIN|MI[A-Z]/);
    }
  });

  it('finds the way over the intermediates that stand behind the leaf', async () => {
    const [older, newer] = await Promise.all([pki.authority(), pki.authority()]);
    const bridge = await crossSign({ older, newer, nowMs: Date.now() });
    const { certificate, key } = await pki.pair({ authority: newer });
    const bridged = pki.mounted(`${certificate.toString()}${bridge ?? ''}`, key, older.certificatePem);

    expect(fault(bridged)).to.equal(null);
    expect(fault(pki.mounted(certificate, key, older.certificatePem))).to.deep.equal(lasting('untrusted-chain'));
  });

  it('waits for an issuer that is not valid yet', async () => {
    const now = Date.now();
    const laterMs = now + 2 * hourMs;
    const ahead = await pki.pair({ authority: await pki.authority(laterMs), nowMs: now });

    expect(fault(ahead)).to.deep.equal({ reason: 'untrusted-chain', retryable: true });
    expect(fault(ahead, { nowMs: laterMs })).to.equal(null);
  });

  it('rejects a way that leads over an issuer that has expired', async () => {
    const nowMs = Date.now();
    const [older, newer] = await Promise.all([
      issueCa({ algorithm: 'ecdsa-p256', subject: 'short', nowMs, validityMs: hourMs }),
      pki.authority(),
    ]);
    const bridge = (await crossSign({ older, newer, nowMs })) ?? '';
    const { certificate, key } = await pki.pair({ authority: newer });
    const bridged = pki.mounted(`${certificate.toString()}${bridge}`, key, older.certificatePem);

    expect(fault(bridged)).to.equal(null);
    expect(check(bridged, { nowMs: nowMs + 2 * hourMs }))
      .to.include({ reason: 'untrusted-chain', retryable: false })
      .with.property('detail')
      .that.matches(/^the issuer CN=spec CA [0-9a-f]{8} has expired$/);
  });

  it('rejects an issuer that is no authority', async () => {
    await using directory = await temporaryDirectory();
    const at = (name: string) => join(directory.path, name);
    const request = ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-addext'];
    await openssl(
      ...[...request, 'basicConstraints=CA:FALSE', '-x509', '-days', '2', '-subj', '/CN=pretender'],
      ...['-out', at('ca.crt'), '-keyout', at('ca.key')],
    );
    await openssl(
      ...[...request, 'subjectAltName=DNS:svc', '-subj', '/CN=svc', '-out', at('csr'), '-keyout', at('tls.key')],
    );
    const certificate = await openssl(
      ...['x509', '-req', '-in', at('csr'), '-CA', at('ca.crt'), '-CAkey', at('ca.key'), '-days', '1'],
      ...['-copy_extensions', 'copy'],
    );
    const [key, trust] = await Promise.all([readFile(at('tls.key')), readFile(at('ca.crt'))]);

    expect(check(pki.mounted(certificate, key, trust), { names: ['svc'] })).to.include({
      reason: 'untrusted-chain',
      detail: 'the issuer CN=pretender is not a certificate authority',
    });
  });

  it('trusts a self-signed certificate that is its own bundle', async () => {
    await using directory = await temporaryDirectory();
    const [crt, key] = [join(directory.path, 'crt'), join(directory.path, 'key')];
    await openssl(
      ...['req', '-x509', '-newkey', 'rsa:2048', '-noenc', '-days', '2', '-subj', '/CN=svc'],
      ...['-addext', 'subjectAltName=DNS:svc', '-addext', 'basicConstraints=critical,CA:FALSE'],
      ...['-out', crt, '-keyout', key],
    );
    const pem = await openssl('x509', '-in', crt);
    const files = pki.mounted(pem, await openssl('pkey', '-in', key), pem);

    expect(fault(files, { names: ['svc'] })).to.equal(null);
  });

  it('rejects a certificate whose extended usage is not serving', async () => {
    await using directory = await temporaryDirectory();
    const [crt, key] = [join(directory.path, 'crt'), join(directory.path, 'key')];
    await openssl(
      ...['req', '-x509', '-newkey', 'rsa:2048', '-noenc', '-days', '2', '-subj', '/CN=svc'],
      ...['-addext', 'subjectAltName=DNS:svc', '-addext', 'extendedKeyUsage=clientAuth', '-out', crt, '-keyout', key],
    );
    const pem = await openssl('x509', '-in', crt);
    const files = pki.mounted(pem, await openssl('pkey', '-in', key), pem);

    expect(fault(files, { names: ['svc'] })).to.deep.equal(lasting('not-for-servers'));
  });

  it('tells names, usage and chain as advice where somebody else issues, and blocks nothing but what cannot be served', async () => {
    const verdict = check({ ...(await pki.wrongNames()), trust: null }, { external: true });

    if (!verdict.ok) return expect.fail(verdict.detail);
    expect(verdict.pair.advice).to.deep.equal([
      `missing-names: the certificate lacks ${pki.names.join(', ')}`,
      'trust-unreadable: no ca.crt is mounted',
    ]);
    expect(fault(await pki.expired(), { external: true })).to.deep.equal(lasting('expired'));
    expect(fault(await pki.mismatched(), { external: true })).to.deep.equal(lasting('key-mismatch'));
  });

  it('takes keys in PKCS#1, SEC1 (with or without its parameters) and PKCS#8', async () => {
    await using directory = await temporaryDirectory();
    const [rsa, ec] = await Promise.all([pki.pair({ algorithm: 'rsa-2048' }), pki.pair()]);
    const sec1 = createPrivateKey(ec.key).export({ type: 'sec1', format: 'pem' });
    await writeFile(join(directory.path, 'parameters'), await openssl('ecparam', '-name', 'prime256v1'));
    const parameters = await openssl('ecparam', '-in', join(directory.path, 'parameters'));
    const pkcs1 = createPrivateKey(rsa.key).export({ type: 'pkcs1', format: 'pem' });

    expect(fault(rsa)).to.equal(null);
    expect(fault(pki.mounted(rsa.certificate, pkcs1, rsa.trust))).to.equal(null);
    expect(fault(pki.mounted(ec.certificate, sec1, ec.trust))).to.equal(null);
    expect(fault(pki.mounted(ec.certificate, parameters + sec1, ec.trust))).to.equal(null);
  });

  it('rejects an RSA key that Go finds too short', async () => {
    const { certificate, key } = await weakPair();
    const result = check(pki.mounted(certificate, key, certificate), { names: ['svc'] });
    expect(result).to.include({ reason: 'untrusted-chain' }).with.property('detail').that.includes('crypto/rsa');
  });

  const fieldCases = new URL('../cases/', import.meta.url);

  it('rejects a leaf whose CA may not sign for its names, before it is served', async () => {
    const [certificatePem, keyPem] = await Promise.all(
      ['ca.crt', 'ca.key'].map((name) =>
        readFile(new URL(`unverified-certificate-replaces-a-good-one/${name}`, fieldCases), 'utf8'),
      ),
    );
    const authority = { certificatePem: certificatePem ?? '', keyPem: keyPem ?? '' };
    expect(check(await pki.pair({ authority })))
      .to.include({ ok: false, reason: 'untrusted-chain' })
      .with.property('detail')
      .that.includes('"svc" is not permitted by any name constraint');
  });

  it('accepts an intermediate as the only anchor', async () => {
    const [certificatePem, keyPem] = await Promise.all(
      ['ca.crt', 'ca.key'].map((name) => readFile(new URL(`intermediate-as-the-ca/${name}`, fieldCases), 'utf8')),
    );
    const authority = { certificatePem: certificatePem ?? '', keyPem: keyPem ?? '' };
    expect(fault(await pki.pair({ authority }))).to.equal(null);
  });

  it('serves under a bundle that is readable in part, and reports the rest', async () => {
    const good = await pki.pair();
    const broken = '-----BEGIN CERTIFICATE-----\nAA*A\n-----END CERTIFICATE-----\n';
    const result = check({ ...good, trust: Buffer.concat([Buffer.from(broken), good.trust]) });
    if (!result.ok) return expect.fail(result.detail);
    expect(result.pair.bundle).to.have.lengthOf(1);
    expect(result.pair.advice).to.deep.equal(['trust-unreadable: ca.crt: PEM block 1 is not whole base64']);
  });
});
