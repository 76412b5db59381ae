import 'reflect-metadata';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { expect } from 'chai';
import { describeCertificates } from '../../src/certificates/certificate-info.ts';
import { crossSign, issueCa, type IssuedPair, issueLeaf, readCaPair } from '../../src/certificates/issue.ts';
import { openssl, pki } from '../support/pki.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
// Half a second past a whole one: certificates have no fractions.
const nowMs = Math.floor(Date.now() / 1000) * 1000 + 500;
const algorithm = 'ecdsa-p256';

const factsOf = (pem: string) => describeCertificates(pem)[0]!;

/** Where the content of the DER element at `start` begins, and where it ends. */
const element = (der: Buffer, start: number): { readonly from: number; readonly to: number } => {
  const first = der.readUInt8(start + 1);
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  const length = lengthBytes === 0 ? first : der.readUIntBE(start + 2, lengthBytes);
  const from = start + 2 + lengthBytes;
  return { from, to: from + length };
};

/** The issuer's name as it stands in a certificate: behind version, serial and algorithm. */
const issuerDer = (certificate: Buffer): Buffer => {
  const version = element(certificate, element(certificate, 0).from).from;
  const serial = element(certificate, version).to;
  const issuer = element(certificate, element(certificate, serial).to).to;
  return certificate.subarray(issuer, element(certificate, issuer).to);
};

const rejection = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'nothing went wrong',
    (error: unknown) => String(error),
  );

const config = (stringMask: string): string =>
  `[req]\ndistinguished_name=dn\nx509_extensions=ca\nstring_mask=${stringMask}\n[dn]\n[ca]\nbasicConstraints=CA:TRUE\n`;

/** An authority as openssl makes it; `nombstr` writes its name as PrintableString, as Go does. */
const opensslAuthority = async (
  options: readonly string[],
  { key = 'rsa:2048', stringMask = 'utf8only' } = {},
): Promise<IssuedPair> => {
  await using directory = await temporaryDirectory();
  const at = (name: string) => join(directory.path, name);
  await writeFile(at('config'), config(stringMask));
  await openssl(
    ...['req', '-x509', '-config', at('config'), '-newkey', key, '-noenc', '-days', '9'],
    ...['-keyout', at('k'), '-out', at('c'), ...options],
  );
  return { certificatePem: await readFile(at('c'), 'utf8'), keyPem: await readFile(at('k'), 'utf8') };
};

describe('issueAuthority', () => {
  it('makes an authority valid from an hour back to its validity, in whole seconds', async () => {
    const authority = await issueCa({ algorithm, subject: 'CA', nowMs, validityMs: dayMs });

    const reading = readCaPair(authority);

    if (!reading.ok) return expect.fail(reading.detail);
    expect(reading.facts.notBeforeMs).to.equal(nowMs - 500 - hourMs);
    expect(reading.facts.notAfterMs).to.equal(nowMs - 500 + dayMs);
  });

  it('never gives two of them one name or one serial, and both serials are positive 16 bytes', async () => {
    const [one, other] = (await Promise.all([pki.authority(), pki.authority()])).map(({ certificatePem }) =>
      factsOf(certificatePem),
    );

    expect(one?.subject).to.match(/^CN=spec CA [0-9a-f]{8}$/);
    expect(one?.subject).not.to.equal(other?.subject);
    expect(one?.serial).not.to.equal(other?.serial);
    for (const facts of [one, other]) expect(facts?.serial).to.match(/^[4-7][0-9a-f]{31}$/);
  });

  it('takes any text for a name and keeps within the 64 characters that a common name has', async () => {
    for (const subject of ['a, "b" + <c>=#d', '', 'x'.repeat(99), 'Zertifikate für Öl']) {
      const { certificatePem } = await issueCa({ algorithm, subject, nowMs, validityMs: dayMs });
      // Not toLegacyObject(): before node:tls is loaded, that leaves it without createSecureContext (seen on Node 20 and 26).
      const [name] = new x509.X509Certificate(certificatePem).subjectName.getField('CN');
      expect(name).to.match(/(^| )[0-9a-f]{8}$/);
      expect(name).to.have.length.at.most(64);
      expect(name).to.include(subject.slice(0, 55));
    }
  });

  it('may last beyond 2050, where the way that dates are written changes', async () => {
    const { certificatePem } = await issueCa({ algorithm, subject: 'CA', nowMs, validityMs: 36_500 * dayMs });

    expect(factsOf(certificatePem).notAfterMs).to.equal(nowMs - 500 + 36_500 * dayMs);
  });
});

describe('issueLeaf', () => {
  it('never outlives its authority', async () => {
    const authority = await issueCa({ algorithm, subject: 'CA', nowMs, validityMs: dayMs });

    const leaf = await issueLeaf({ authority, names: ['svc'], algorithm, nowMs, validityMs: 2 * dayMs });

    expect(factsOf(leaf.certificatePem).notAfterMs).to.equal(factsOf(authority.certificatePem).notAfterMs);
    expect(factsOf(leaf.certificatePem).notBeforeMs).to.equal(nowMs - 500 - hourMs);
  });

  it('refuses an authority that has expired, is none, or whose key is another', async () => {
    const [authority, other] = await Promise.all([pki.authority(), pki.authority()]);
    const order = { names: ['svc'], algorithm, nowMs, validityMs: dayMs } as const;
    const leaf = await issueLeaf({ ...order, authority });

    const late = issueLeaf({ ...order, authority, nowMs: nowMs + 9999 * dayMs });
    expect(await rejection(late)).to.include('would have expired');
    expect(await rejection(issueLeaf({ ...order, authority: leaf }))).to.include('not a certificate authority');
    const mixed = { ...authority, keyPem: other.keyPem };
    expect(await rejection(issueLeaf({ ...order, authority: mixed }))).to.include('belongs to another certificate');
    expect(await rejection(issueLeaf({ ...order, authority, names: [] }))).to.include('needs a name');
  });

  it('says what it is for, and says critically who it is when it has no subject', async () => {
    const authority = await pki.authority();
    const printed = async (names: readonly string[], leafAlgorithm: 'ecdsa-p256' | 'rsa-2048') => {
      await using directory = await temporaryDirectory();
      const leaf = await issueLeaf({ authority, names, algorithm: leafAlgorithm, nowMs, validityMs: dayMs });
      const path = join(directory.path, 'tls.crt');
      await writeFile(path, leaf.certificatePem);
      return (await openssl('x509', '-in', path, '-noout', '-text')).replaceAll(/\s+/g, ' ');
    };

    const ecdsa = await printed(['svc'], 'ecdsa-p256');
    expect(ecdsa).to.include('Basic Constraints: critical CA:FALSE');
    expect(ecdsa).to.include('X509v3 Key Usage: critical Digital Signature X509v3');
    expect(ecdsa).to.include('Extended Key Usage: TLS Web Server Authentication X509v3');
    expect(ecdsa).to.include('Subject Alternative Name: DNS:svc ');
    expect(await printed([`${'a'.repeat(61)}.svc`], 'rsa-2048'))
      .to.include('Alternative Name: critical')
      .and.to.include('Key Usage: critical Digital Signature, Key Encipherment');
  });

  for (const [what, options, kind] of [
    ['PrintableString', ['-subj', '/O=x/CN=old one'], { stringMask: 'nombstr' }],
    ['UTF-8', ['-utf8', '-subj', '/C=DE/O=Größe, Inc./OU=a+CN=b', '-multivalue-rdn'], {}],
    ['P-384', ['-subj', '/CN=ec', '-pkeyopt', 'ec_paramgen_curve:P-384'], { key: 'ec' }],
    ['P-521', ['-subj', '/CN=ec', '-pkeyopt', 'ec_paramgen_curve:P-521'], { key: 'ec' }],
    ['Ed25519', ['-subj', '/CN=ed'], { key: 'ed25519' }],
  ] as const) {
    it(`keeps the name of its authority byte for byte and signs with its key: ${what}`, async () => {
      const authority = await opensslAuthority(options, kind);

      const { certificatePem } = await issueLeaf({ authority, names: ['svc'], algorithm, nowMs, validityMs: dayMs });

      const [above, leaf] = [authority.certificatePem, certificatePem].map((pem) => new X509Certificate(pem));
      expect(leaf!.checkIssued(above!)).to.equal(true);
      expect(leaf!.verify(above!.publicKey)).to.equal(true);
      expect(issuerDer(leaf!.raw)).to.deep.equal(issuerDer(above!.raw));
    });
  }
});

describe('issueBridge', () => {
  it('carries the name, key and key identifier of the newer and outlives neither', async () => {
    const [older, newer] = await Promise.all([
      issueCa({ algorithm, subject: 'old', nowMs, validityMs: dayMs }),
      issueCa({ algorithm, subject: 'new', nowMs, validityMs: 9 * dayMs }),
    ]);

    const forth = (await crossSign({ older, newer, nowMs })) ?? '';
    const back = (await crossSign({ older: newer, newer: older, nowMs })) ?? '';

    expect(factsOf(forth).subject).to.equal(factsOf(newer.certificatePem).subject);
    expect(factsOf(forth).notAfterMs).to.equal(factsOf(older.certificatePem).notAfterMs);
    expect(factsOf(back).notAfterMs).to.equal(factsOf(older.certificatePem).notAfterMs);
    const [bridge, above, root] = [forth, older.certificatePem, newer.certificatePem].map(
      (pem) => new X509Certificate(pem),
    );
    expect(bridge!.verify(above!.publicKey)).to.equal(true);
    expect(bridge!.publicKey.equals(root!.publicKey)).to.equal(true);
    expect(bridge!.ca).to.equal(true);
  });

  it('is not to be had from an authority that must not have another below it', async () => {
    const newer = await pki.authority();
    const limited = (limit: string) =>
      opensslAuthority(['-subj', '/CN=limited', '-addext', `basicConstraints=critical,CA:TRUE,pathlen:${limit}`]);

    expect(await crossSign({ older: await limited('0'), newer, nowMs })).to.equal(null);
    expect(await crossSign({ older: await limited('1'), newer, nowMs })).to.be.a('string');
  });
});

describe('authorityFacts', () => {
  it('says why a certificate and a key make no authority, and repeats none of them', async () => {
    const [authority, other, leaf] = await Promise.all([pki.authority(), pki.authority(), pki.pair()]);
    const reasonOf = (pair: Partial<IssuedPair>) => {
      const reading = readCaPair({ ...authority, ...pair });
      if (!reading.ok) expect(JSON.stringify(reading)).not.to.match(/BEGIN|MI[A-Z]/);
      return reading.ok ? null : reading.reason;
    };
    const locked = createPrivateKey(authority.keyPem).export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'open sesame',
    });

    expect(reasonOf({})).to.equal(null);
    expect(reasonOf({ certificatePem: '' })).to.equal('not-pem');
    expect(reasonOf({ certificatePem: authority.certificatePem.slice(0, 99) })).to.equal('not-pem');
    expect(reasonOf({ certificatePem: leaf.certificate.toString() })).to.equal('not-an-authority');
    expect(reasonOf({ keyPem: other.keyPem })).to.equal('key-mismatch');
    expect(reasonOf({ keyPem: 'x' })).to.equal('key-unusable');
    expect(reasonOf({ keyPem: locked })).to.equal('key-encrypted');
  });
});
