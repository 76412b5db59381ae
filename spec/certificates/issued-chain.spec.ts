import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { crossSign, issueCa, issueLeaf, usableCrossSigned, verifyIssued } from '../../src/certificates/issue.ts';
import { type KeyAlgorithm, makeKey, signingKey } from '../../src/certificates/keys.ts';
import type { ParsedX509 } from '../../src/certificates/parse-x509.ts';
import { forbiddenName } from '../../src/certificates/verify-chain.ts';
import { firstCertificate, serialNumber, validity } from '../../src/certificates/x509-fields.ts';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectKeyIdentifierExtension,
} from '../../src/certificates/x509-library.ts';
import { type MadeCa, madeCertificates } from '../support/made-certificates.ts';
import { pki } from '../support/pki.ts';

const DAY_MS = 86_400_000;
const NAMES = ['svc.ns.svc', 'svc.ns'];

/** An older and a newer CA, and the newer one as the older has signed it. */
const make = async () => {
  const nowMs = Date.now();
  const [older, newer, stranger] = await Promise.all([pki.authority(), pki.authority(), pki.authority()]);
  const bridge = (await crossSign({ older, newer, nowMs })) ?? '';
  const order = { authority: newer, names: NAMES, algorithm: 'ecdsa-p256', nowMs, validityMs: DAY_MS } as const;
  const leaf = await issueLeaf(order);
  return { nowMs, older, newer, stranger, bridge, leaf };
};
let made: ReturnType<typeof make> | undefined;
const fixture = () => (made ??= make());

describe('the cross-signed certificates behind a leaf', () => {
  it('are those of the CA that signs, while the bundle trusts the CA that signed them', async () => {
    const { older, newer, bridge } = await fixture();
    const trustPem = newer.certificatePem + older.certificatePem;
    expect(usableCrossSigned({ authority: newer, crossSignedPem: bridge, trustPem })).to.equal(bridge);
    expect(usableCrossSigned({ authority: newer, crossSignedPem: bridge, trustPem: newer.certificatePem })).to.equal(
      '',
    );
  });

  it('are none for another CA, for one that cannot be read, or where none is stored', async () => {
    const { older, newer, stranger, bridge } = await fixture();
    const trustPem = newer.certificatePem + older.certificatePem;
    expect(usableCrossSigned({ authority: stranger, crossSignedPem: bridge, trustPem })).to.equal('');
    expect(usableCrossSigned({ authority: { ...newer, keyPem: '' }, crossSignedPem: bridge, trustPem })).to.equal('');
    for (const crossSignedPem of ['', 'garbage'])
      expect(usableCrossSigned({ authority: newer, crossSignedPem, trustPem })).to.equal('');
  });

  it('leave out what is no CA, and what no CA of the bundle signed', async () => {
    const { older, newer, stranger, bridge, leaf } = await fixture();
    const trustPem = newer.certificatePem + older.certificatePem;
    for (const other of [leaf.certificatePem, stranger.certificatePem])
      expect(usableCrossSigned({ authority: newer, crossSignedPem: bridge + other, trustPem })).to.equal(bridge);
    expect(usableCrossSigned({ authority: newer, crossSignedPem: older.certificatePem, trustPem })).to.equal('');
  });
});

describe('the cross-signed certificates of a CA', () => {
  const SIGNING: readonly Extension[] = [
    new BasicConstraintsExtension(true, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
  ];
  const fixtureOf = async () => {
    const oldest = await madeCertificates.authority({ subject: 'CN=oldest' });
    const older = await madeCertificates.authority({ subject: 'CN=older' });
    const newer = await madeCertificates.authority({ subject: 'CN=newer' });
    const authority = { certificatePem: newer.pem, keyPem: await madeCertificates.keyPem(newer.keys) };
    const usable = (trustPem: string, ...crossSigned: readonly { readonly pem: string }[]) =>
      usableCrossSigned({ authority, crossSignedPem: crossSigned.map(({ pem }) => pem).join(''), trustPem });
    return { oldest, older, newer, usable };
  };
  const sign = (issuer: MadeCa, { subject, keys }: MadeCa, extensions = SIGNING) =>
    madeCertificates.authority({ issuer, subject, keys, extensions });

  it('bring those above them, each signed by the next', async () => {
    const { oldest, older, newer, usable } = await fixtureOf();
    const [first, second] = [await sign(older, newer), await sign(oldest, older)];
    expect(usable(oldest.pem, first, second)).to.equal(first.pem + second.pem);
    expect(usable(oldest.pem, second), 'without one of the CA itself').to.equal('');
  });

  it('have both its subject and its key', async () => {
    const { older, newer, usable } = await fixtureOf();
    expect(usable(older.pem, await sign(older, { ...newer, subject: 'CN=other' }))).to.equal('');
    expect(usable(older.pem, await sign(older, { ...older, subject: newer.subject }))).to.equal('');
  });

  it('leave out what Go cannot read, which would fail every handshake', async () => {
    const { older, newer, usable } = await fixtureOf();
    const unreadable = [...SIGNING, new Extension('2.5.29.14', true, new Uint8Array([4, 1, 1]))];
    const [good, bad] = [await sign(older, newer), await sign(older, newer, unreadable)];
    expect(usable(older.pem, bad, good)).to.equal(good.pem);
  });
});

describe('an issued chain', () => {
  it('is verified for each name against the CA alone', async () => {
    const { nowMs, newer, stranger, bridge, leaf } = await fixture();
    const verify = (rest: Partial<Parameters<typeof verifyIssued>[0]> = {}) =>
      verifyIssued({ chainPem: leaf.certificatePem, authority: newer, names: NAMES, nowMs, ...rest });
    expect(verify()).to.equal(null);
    expect(verify({ chainPem: leaf.certificatePem + bridge })).to.equal(null);
    expect(verify({ names: [...NAMES, 'other.ns.svc'] })).to.include('other.ns.svc');
    expect(verify({ nowMs: nowMs + 2 * DAY_MS })).to.be.a('string');
    expect(verify({ authority: stranger })).to.be.a('string');
    expect(verify({ authority: { ...newer, keyPem: '' } })).to.match(/^ca\.key: /);
    expect(verify({ chainPem: '' })).to.equal('no certificate was presented');
  });

  it('is not issued by a CA that cannot be read', async () => {
    const { nowMs, newer } = await fixture();
    const authority = { ...newer, certificatePem: '' };
    const order = { authority, names: NAMES, algorithm: 'ecdsa-p256', nowMs, validityMs: DAY_MS } as const;
    const failure = await issueLeaf(order).catch((error: unknown) => error);
    expect(failure)
      .to.be.instanceOf(Error)
      .with.property('message', 'the authority cannot issue: ca.crt holds no PEM certificate');
  });
});

describe('the fields of an issued certificate', () => {
  const parse = (pem: string) => firstCertificate(pem);

  it('mark as critical what makes a CA one', async () => {
    const { certificatePem } = await pki.authority();
    const { extensions } = parse(certificatePem);
    const critical = extensions.filter(({ critical }) => critical).map(({ type }) => type);
    expect(critical).to.deep.equal(['2.5.29.19', '2.5.29.15']);
  });

  it('name a CA without a subject by its random digits alone', async () => {
    const nowMs = Date.now();
    const { certificatePem } = await issueCa({ algorithm: 'ecdsa-p256', subject: '', nowMs, validityMs: DAY_MS });
    expect(parse(certificatePem).subject).to.match(/^CN=[0-9a-f]{8}$/);
  });

  it('have the first name as the common name up to 64 characters', async () => {
    const { nowMs, newer: authority } = await fixture();
    const subjectFor = async (length: number) => {
      const names = [`${'a'.repeat(length - 63)}.${'b'.repeat(62)}`];
      const order = { authority, names, algorithm: 'ecdsa-p256', nowMs, validityMs: DAY_MS } as const;
      return parse((await issueLeaf(order)).certificatePem).subject;
    };
    expect(await subjectFor(64)).to.equal(`CN=a.${'b'.repeat(62)}`);
    expect(await subjectFor(65)).to.equal('');
  });

  it('refer to the key identifier of the CA, and to the hash of its key when it has none', async () => {
    const nowMs = Date.now();
    const identifier = '0102030405';
    const without = await madeCertificates.authority();
    const own = await madeCertificates.authority({
      extensions: [new BasicConstraintsExtension(true, undefined, true), new SubjectKeyIdentifierExtension(identifier)],
    });
    const referred = async ({ pem, keys }: MadeCa) => {
      const authority = { certificatePem: pem, keyPem: await madeCertificates.keyPem(keys) };
      const order = { authority, names: NAMES, algorithm: 'ecdsa-p256', nowMs, validityMs: DAY_MS } as const;
      return parse((await issueLeaf(order)).certificatePem).getExtension(AuthorityKeyIdentifierExtension)?.keyId;
    };
    expect(await referred(own)).to.equal(identifier);
    const { keyId } = await SubjectKeyIdentifierExtension.create(parse(without.pem).publicKey);
    expect(await referred(without)).to.equal(keyId);
  });

  it('include a serial number that is random from its first byte on', () => {
    const firstBytes = new Set(Array.from({ length: 100 }, () => serialNumber().slice(0, 2)));
    expect(firstBytes.size).to.be.greaterThan(8);
  });

  it('end after they are issued, and are read from PEM alone', () => {
    const nowMs = 1_800_000_000_000;
    expect(() => validity(nowMs, nowMs)).to.throw('the certificate would have expired before it is issued');
    expect(validity(nowMs, nowMs + 1_000).notAfter.getTime()).to.equal(nowMs + 1_000);
    expect(() => firstCertificate('')).to.throw('there is no PEM certificate');
  });
});

describe('a key', () => {
  it('is generated as KEY_ALGORITHM names it', async () => {
    const kindOf = async (algorithm: KeyAlgorithm) => {
      const { asymmetricKeyType, asymmetricKeyDetails } = await makeKey(algorithm);
      return [asymmetricKeyType, asymmetricKeyDetails?.namedCurve ?? asymmetricKeyDetails?.modulusLength];
    };
    expect(await kindOf('ecdsa-p256')).to.deep.equal(['ec', 'prime256v1']);
    expect(await kindOf('ecdsa-p384')).to.deep.equal(['ec', 'secp384r1']);
    expect(await kindOf('rsa-2048')).to.deep.equal(['rsa', 2_048]);
    expect(await kindOf('rsa-3072')).to.deep.equal(['rsa', 3_072]);
    expect(await kindOf('rsa-4096')).to.deep.equal(['rsa', 4_096]);
  }).timeout(60_000);

  it('signs with the hash of the strength of its curve, and not on any other curve', () => {
    const of = (curve: string) => signingKey(generateKeyPairSync('ec', { namedCurve: curve }).privateKey).algorithm;
    expect(of('P-256')).to.deep.equal({ name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' });
    expect(signingKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey).key.extractable).to.equal(false);
    expect(of('P-384')).to.deep.equal({ name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' });
    expect(of('P-521')).to.deep.equal({ name: 'ECDSA', namedCurve: 'P-521', hash: 'SHA-512' });
    expect(() => of('secp256k1')).to.throw('cannot sign certificates with a key of type ec');
    const pem = generateKeyPairSync('x25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
    expect(() => signingKey(createPrivateKey(pem))).to.throw('cannot sign certificates with a key of type x25519');
  });
});

describe('a name constraint', () => {
  const [DNS, IP, MAIL] = [2, 7, 1];
  const named = (kind: number, value: string | readonly number[]) => ({ kind, value: Buffer.from(value as string) });
  const forbidden = (
    names: readonly ReturnType<typeof named>[],
    constraints: { permitted?: readonly ReturnType<typeof named>[]; excluded?: readonly ReturnType<typeof named>[] },
  ) =>
    forbiddenName(
      { nameConstraints: { permitted: [], excluded: [], ...constraints } } as unknown as ParsedX509,
      { names } as unknown as ParsedX509,
    );
  const permits = (name: string, constraint: string) =>
    forbidden([named(DNS, name)], { permitted: [named(DNS, constraint)] }) === null;

  it('covers a DNS name and all below it, only those below it with a dot, and every name when empty', () => {
    for (const [name, constraint, isCovered] of [
      ['a.example.com', 'example.com', true],
      ['Example.COM', 'example.com', true],
      ['badexample.com', 'example.com', false],
      ['a.example.com', '.example.com', true],
      ['example.com', '.example.com', false],
      ['.example.com', '.example.com', false],
      ['example.com', '', true],
      ['example.org', 'example.com', false],
    ] as const)
      expect(permits(name, constraint), `${name} ${constraint}`).to.equal(isCovered);
  });

  it('covers the addresses of its network, of its own family', () => {
    const network = named(IP, [10, 0, 0, 0, 255, 0, 0, 0]);
    expect(forbidden([named(IP, [10, 1, 2, 3])], { permitted: [network] })).to.equal(null);
    expect(forbidden([named(IP, [11, 1, 2, 3])], { permitted: [network] })).to.equal(
      'address 11.1.2.3 is not permitted by any name constraint',
    );
    const narrow = named(IP, [10, 1, 0, 0, 255, 255, 0, 0]);
    expect(forbidden([named(IP, [10, 1, 2, 3])], { permitted: [narrow] })).to.equal(null);
    expect(forbidden([named(IP, [10, 2, 0, 0])], { permitted: [narrow] })).to.be.a('string');
    const every = named(
      IP,
      Array.from({ length: 32 }, () => 0),
    );
    expect(forbidden([named(IP, [0, 0, 0, 0])], { permitted: [every] })).to.be.a('string');
    const long = Array.from({ length: 16 }, () => 0);
    expect(forbidden([named(IP, long)], { permitted: [network] })).to.be.a('string');
    expect(forbidden([named(IP, [10, 1, 2, 3])], { excluded: [network] })).to.equal(
      'address 10.1.2.3 is excluded by a name constraint',
    );
  });

  it('forbids the first name that is excluded or not permitted, and names it', () => {
    const [a, b] = [named(DNS, 'a.com'), named(DNS, 'b.com')];
    expect(forbidden([a, b], { excluded: [b] })).to.equal('"b.com" is excluded by a name constraint');
    expect(forbidden([a, b], { permitted: [a] })).to.equal('"b.com" is not permitted by any name constraint');
    expect(forbidden([a, b], { permitted: [b, a] })).to.equal(null);
  });

  it('concerns names of its own kind alone, and neither e-mail addresses nor a CA without constraints', () => {
    const [name, network] = [named(DNS, 'a.com'), named(IP, [10, 0, 0, 0, 255, 0, 0, 0])];
    expect(forbidden([name], { permitted: [network] })).to.equal(null);
    expect(forbidden([name], { excluded: [named(IP, [])] })).to.equal(null);
    expect(forbidden([named(MAIL, 'a@b')], { permitted: [named(MAIL, 'c@d')] })).to.equal(null);
    const without = { nameConstraints: null } as unknown as ParsedX509;
    expect(forbiddenName(without, { names: [name] } as unknown as ParsedX509)).to.equal(null);
  });
});
