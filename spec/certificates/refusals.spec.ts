import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { readCaPair } from '../../src/certificates/ca-pair.ts';
import { readCertificates } from '../../src/certificates/pem.ts';
import { keyMismatch, privateKey } from '../../src/certificates/private-key.ts';
import { verifyPair } from '../../src/certificates/verify-pair.ts';
import { madeCertificates } from '../support/made-certificates.ts';
import { type MountedPair, pki } from '../support/pki.ts';

const pemOf = ({ privateKey: key }: { readonly privateKey: KeyObject }): string =>
  key.export({ type: 'pkcs8', format: 'pem' });
const keyProblem = (pem: string | Uint8Array): string | null => {
  const reading = privateKey(pem);
  return reading.ok ? null : reading.detail;
};

describe('a private key that cannot be used', () => {
  it('is refused with what is wrong with it, and none of its text', async () => {
    expect(keyProblem('no key')).to.equal('it holds no PEM private key');
    expect(keyProblem((await pki.pair()).certificate)).to.equal('it holds no PEM private key');
    const { key } = await pki.encryptedKey();
    expect(privateKey(key)).to.deep.equal({
      ok: false,
      reason: 'key-encrypted',
      detail: 'it is protected by a passphrase',
    });
    expect(keyProblem('-----BEGIN PRIVATE KEY-----\nTm8ga2V5\n')).to.equal('PEM block 1 is cut off');
    const broken = '-----BEGIN PRIVATE KEY-----\nTm8ga2V5\n-----END PRIVATE KEY-----\n';
    expect(keyProblem(broken)).to.equal('it is not a readable private key');
  });

  it('is refused by the name of its curve or its type where the API server cannot verify it', () => {
    const type = 'the API server cannot verify keys of type';
    expect(keyProblem(pemOf(generateKeyPairSync('ed448')))).to.equal(`${type} ed448`);
    expect(keyProblem(pemOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' })))).to.equal(
      'the API server cannot verify keys on secp256k1',
    );
  });

  it('is told from one that belongs to a later certificate of the chain', async () => {
    const [one, other] = await Promise.all([pki.pair(), pki.pair()]);
    const [first, second] = [one, other].map(({ certificate }) => new X509Certificate(certificate));
    const reading = privateKey(one.key);
    if (!reading.ok || first === undefined || second === undefined) return expect.fail('refused');
    expect(keyMismatch([first, second], reading.key)).to.equal(null);
    expect(keyMismatch([second], reading.key)).to.equal('tls.key belongs to another certificate');
    expect(keyMismatch([second, first], reading.key)).to.equal(
      'tls.crt is in the wrong order: tls.key belongs to certificate 2, which must be the first',
    );
  });
});

describe('a pair that is refused', () => {
  const refusal = (files: MountedPair, nowMs = Date.now()): string | null => {
    const expected = { hash: files.hash, generation: 'g', names: pki.names, nowMs, external: false };
    const verdict = verifyPair(files, expected);
    return verdict.ok ? null : `${verdict.reason}: ${verdict.detail}`;
  };

  it('names the file and what is wrong with it', async () => {
    const good = await pki.pair();
    expect(refusal(pki.mounted('', good.key, good.trust))).to.equal('not-pem: tls.crt holds no PEM certificate');
    expect(refusal({ ...good, key: Buffer.from('no key') })).to.equal(
      'key-unusable: tls.key: it holds no PEM private key',
    );
    expect(refusal(await pki.torn())).to.match(/^not-pem: tls\.crt: ./);
    expect(refusal({ ...good, trust: Buffer.alloc(0) })).to.contain('ca.crt holds no certificate');
  });

  it('names what could not be read of ca.crt when nothing of it can', async () => {
    const good = await pki.pair();
    expect(refusal({ ...good, trust: good.trust.subarray(0, 100) })).to.equal(
      'trust-unreadable: ca.crt: PEM block 1 is cut off',
    );
  });

  it('is told that its extended key usage lacks serverAuth', async () => {
    const ca = await madeCertificates.ca();
    const { pem, key } = await madeCertificates.leaf({ ca, names: pki.names, usages: [madeCertificates.clientAuth] });
    expect(refusal(pki.mounted(pem, key, ca.pem))).to.equal(
      'not-for-servers: the extended key usage of the certificate lacks serverAuth',
    );
  });

  it('may lack ca.crt where that is allowed, but not hold one that cannot be read', async () => {
    const good = await pki.pair();
    const verdict = (trust: Buffer | null) =>
      verifyPair(
        { ...good, trust },
        { hash: good.hash, generation: 'g', names: pki.names, nowMs: Date.now(), external: false, mayLackTrust: true },
      );
    for (const trust of [null, Buffer.alloc(0)])
      expect(verdict(trust)).to.have.property('pair').that.deep.includes({ trust: null, bundle: [] });
    expect(verdict(Buffer.from('nothing'))).to.include({ ok: false, detail: 'ca.crt holds no certificate' });
    expect(verdict(good.trust)).to.have.property('pair').with.property('trust', good.trust);
  });

  it('is served with its whole chain when it is not refused', async () => {
    const root = await madeCertificates.ca();
    const between = await madeCertificates.intermediate(root);
    const { pem, key } = await madeCertificates.leaf({ ca: between, names: pki.names });
    const files = pki.mounted(pem + between.pem, key, root.pem);
    const expected = { hash: files.hash, generation: 'g', names: pki.names, nowMs: Date.now(), external: false };
    const verdict = verifyPair(files, expected);
    if (!verdict.ok) return expect.fail(verdict.detail);
    const parts = readCertificates(pem + between.pem);
    expect(verdict.pair.certificate.toString()).to.equal(parts.map(String).join(''));
  });

  it('is good from the first millisecond of its validity to the last one before its end', async () => {
    const good = await pki.pair();
    const { validFromDate, validToDate } = new X509Certificate(good.certificate);
    const [fromMs, toMs] = [validFromDate.getTime(), validToDate.getTime()];
    expect(refusal(good, fromMs)).to.equal(null);
    expect(refusal(good, toMs - 1)).to.equal(null);
    expect(refusal(good, fromMs - 1)).to.equal(`not-yet-valid: valid from ${validFromDate.toISOString()} only`);
    expect(refusal(good, toMs)).to.equal(`expired: expired at ${validToDate.toISOString()}`);
  });
});

describe('a CA that is refused', () => {
  const refusal = (certificatePem: string, keyPem: string): string | null => {
    const result = readCaPair({ certificatePem, keyPem });
    return result.ok ? null : `${result.reason}: ${result.detail}`;
  };

  it('is judged by the certificate that its key fits, wherever that stands', async () => {
    const [ca, other] = await Promise.all([pki.authority(), pki.authority()]);
    const leaf = await madeCertificates.selfSigned(['svc']);
    for (const certificatePem of [leaf.pem + ca.certificatePem, ca.certificatePem + leaf.pem]) {
      expect(refusal(certificatePem, ca.keyPem)).to.equal(null);
      expect(refusal(certificatePem, leaf.key)).to.equal('not-an-authority: ca.crt is not a certificate authority');
      expect(refusal(certificatePem, other.keyPem)).to.equal('key-mismatch: ca.key belongs to another certificate');
    }
  });

  it('is told what its only certificate is before what its key is', async () => {
    const [{ certificatePem }, other] = await Promise.all([pki.authority(), pki.authority()]);
    const leaf = await madeCertificates.selfSigned(['svc']);
    expect(refusal(leaf.pem, other.keyPem)).to.equal('not-an-authority: ca.crt is not a certificate authority');
    expect(refusal(leaf.pem, '')).to.equal('not-an-authority: ca.crt is not a certificate authority');
    expect(refusal(certificatePem, other.keyPem)).to.equal('key-mismatch: ca.key belongs to another certificate');
    expect(refusal(certificatePem, '')).to.equal('key-unusable: ca.key: it holds no PEM private key');
    const { key } = await pki.encryptedKey();
    expect(refusal(certificatePem, key.toString())).to.equal('key-encrypted: ca.key: it is protected by a passphrase');
  });

  it('is told why its certificate cannot be read', async () => {
    const { certificatePem, keyPem } = await pki.authority();
    expect(refusal('', keyPem)).to.equal('not-pem: ca.crt holds no PEM certificate');
    expect(refusal(certificatePem.slice(0, 100), keyPem)).to.equal('not-pem: ca.crt: PEM block 1 is cut off');
  });
});
