import { expect } from 'chai';
import { describeCertificates } from '../../src/certificates/certificate-info.ts';
import { relayedPairProblem, secretPair } from '../../src/certificates/secret-pair.ts';
import { sha256Hex } from '../../src/util/hash.ts';
import { type LeafOrder, type MadeCa, madeCertificates, type MadeLeaf } from '../support/made-certificates.ts';
import { type MountedPair, pki } from '../support/pki.ts';

const values = ({ certificate, key, trust }: MountedPair) => ({
  'tls.crt': certificate,
  'tls.key': key,
  'ca.crt': trust,
});

describe('secretPair', () => {
  it('tells the hash, the leaf, who signed it and what is trusted', async () => {
    const pair = await pki.pair();
    const looked = secretPair(values(pair));
    expect(looked.hash).to.equal(sha256Hex(pair.certificate));
    expect(looked.problem).to.equal(null);
    expect(looked.issuer).to.equal(looked.trust[0]?.fingerprint);
    expect(JSON.stringify(looked)).not.to.include('PRIVATE');
  });

  it('finds no issuer when the CA that signed is not in ca.crt', async () => {
    const [pair, other] = [await pki.pair(), await pki.pair()];
    expect(secretPair({ ...values(pair), 'ca.crt': other.trust }).issuer).to.equal(null);
    expect(secretPair({ 'tls.crt': pair.certificate, 'tls.key': pair.key }).issuer).to.equal(null);
  });

  it('finds no issuer in a CA of the same name with another key, or of the same key with another name', async () => {
    const ca = await madeCertificates.authority({ subject: 'CN=the ca' });
    const leaf = await madeCertificates.leaf({ ca, names: ['svc'] });
    const issuerIn = (trust: string) =>
      secretPair({ 'tls.crt': Buffer.from(leaf.pem), 'tls.key': Buffer.from(leaf.key), 'ca.crt': Buffer.from(trust) })
        .issuer;
    const namesake = await madeCertificates.authority({ subject: 'CN=the ca' });
    const renamed = await madeCertificates.authority({ keys: ca.keys, subject: 'CN=renamed' });
    expect(issuerIn(namesake.pem + renamed.pem)).to.equal(null);
    expect(issuerIn(namesake.pem + renamed.pem + ca.pem)).to.equal(describeCertificates(ca.pem)[0]?.fingerprint);
  });

  it('finds the issuer of a certificate whose key is lost: replicas may be serving it', async () => {
    const [pair, other] = await Promise.all([pki.pair(), pki.pair()]);
    const { certificate, trust } = pair;
    for (const key of [{ 'tls.key': other.key }, { 'tls.key': Buffer.from('garbage') }, {}]) {
      const looked = secretPair({ 'tls.crt': certificate, 'ca.crt': trust, ...key });
      expect(looked.problem).to.match(/^tls\.key/);
      expect(looked.issuer).to.equal(looked.trust[0]?.fingerprint);
    }
  });

  it('takes a certificate that signed itself for its own issuer', async () => {
    const { certificatePem, keyPem } = await pki.authority();
    const self = secretPair({ 'tls.crt': Buffer.from(certificatePem), 'tls.key': Buffer.from(keyPem) });
    expect(self.issuer).to.equal(self.leaf?.fingerprint);
  });

  it('tells the leaf and what is trusted, and each block of ca.crt that cannot be read', async () => {
    const pair = await pki.pair();
    const broken = '-----BEGIN CERTIFICATE-----\nAA*A\n-----END CERTIFICATE-----\n';
    const looked = secretPair({ ...values(pair), 'ca.crt': Buffer.concat([Buffer.from(broken), pair.trust]) });
    const [leaf] = describeCertificates(pair.certificate);
    expect(looked).to.deep.include({ leaf, trust: describeCertificates(pair.trust), problem: null });
    expect(looked.trustProblems).to.deep.equal(['ca.crt: PEM block 1 is not whole base64']);
    const { trust, trustProblems } = secretPair({ 'tls.crt': Buffer.alloc(0), 'ca.crt': Buffer.from(broken) });
    expect({ trust, trustProblems }).to.deep.equal({ trust: [], trustProblems: looked.trustProblems });
  });

  it('names the file that cannot be read, and what is wrong with it', async () => {
    const pair = await pki.pair();
    const problem = (changed: Readonly<Record<string, Buffer>>) => secretPair({ ...values(pair), ...changed }).problem;
    expect(problem({ 'tls.crt': pair.certificate.subarray(0, 100) })).to.equal('tls.crt: PEM block 1 is cut off');
    expect(problem({ 'tls.crt': Buffer.from('x') })).to.equal('tls.crt holds no certificate');
    expect(problem({ 'tls.key': Buffer.from('x') })).to.equal('tls.key: it holds no PEM private key');
    expect(secretPair({ 'tls.crt': pair.certificate }).problem).to.equal('tls.key: it holds no PEM private key');
    const torn = secretPair({ ...values(pair), 'tls.crt': pair.certificate.subarray(0, 100) });
    expect(torn).to.deep.include({ hash: sha256Hex(pair.certificate.subarray(0, 100)), leaf: null, issuer: null });
    expect(secretPair({ 'tls.crt': Buffer.alloc(0) })).to.deep.include({ hash: null, problem: null });
  });

  it('says what is wrong, and throws nothing, whatever is in there', async () => {
    const [pair, other] = [await pki.pair(), await pki.pair()];
    expect(secretPair({})).to.deep.include({ hash: null, problem: null });
    expect(secretPair({ ...values(pair), 'tls.key': other.key }).problem).to.equal(
      'tls.key belongs to another certificate',
    );
    expect(secretPair({ ...values(pair), 'tls.crt': Buffer.from('x') }).problem).to.match(/^tls\.crt/);
    expect(secretPair({ ...values(pair), 'tls.key': Buffer.from('x') }).problem).to.match(/^tls\.key/);
    expect(
      secretPair({ ...values(pair), 'ca.crt': Buffer.from('-----BEGIN CERTIFICATE-----\nAAAA') }).trust,
    ).to.deep.equal([]);
  });
});

describe('a pair that another program has issued', () => {
  const NAME = 'svc.ns.svc';
  const valuesOf = (leaf: MadeLeaf, ca?: string) => ({
    'tls.crt': Buffer.from(leaf.pem),
    'tls.key': Buffer.from(leaf.key),
    ...(ca === undefined ? {} : { 'ca.crt': Buffer.from(ca) }),
  });
  const datesOf = (pem: string) => describeCertificates(pem)[0] ?? expect.fail('no certificate');
  const make = (ca: MadeCa, order: Partial<LeafOrder> = {}) => madeCertificates.leaf({ ca, names: [NAME], ...order });
  const problem = (leaf: MadeLeaf, ca?: string, names: readonly string[] = [NAME]) =>
    relayedPairProblem(valuesOf(leaf, ca), datesOf(leaf.pem), names);
  const extensions = [madeCertificates.unknownCritical()];
  const REFUSED = 'untrusted-chain: Go refuses the certificate: x509: unhandled critical extension (1.2.3.4)';

  it('has no problem when callers would accept it, by the ca.crt beside it or by what they trust', async () => {
    const [ca, other] = [await madeCertificates.ca(), await madeCertificates.ca()];
    const leaf = await make(ca);
    expect(problem(leaf, ca.pem)).to.equal(null);
    expect(problem(leaf, other.pem)).to.match(/^untrusted-chain: none of the 1 certificates in ca\.crt issued /);
    const trusting = (trust: string) =>
      relayedPairProblem(valuesOf(leaf, ca.pem), datesOf(leaf.pem), [NAME], Date.now(), Buffer.from(trust));
    expect(trusting(ca.pem)).to.equal(null);
    expect(trusting(other.pem)).to.match(/^untrusted-chain: /);
  });

  it('has its names, its key and its certificate judged, with the reason first', async () => {
    const ca = await madeCertificates.ca();
    const leaf = await make(ca);
    expect(problem(leaf, ca.pem, [NAME, 'a.org', 'b.org'])).to.equal(
      'missing-names: the certificate lacks a.org, b.org',
    );
    const { 'tls.key': key, ...keyless } = valuesOf(leaf, ca.pem);
    expect(relayedPairProblem(keyless, datesOf(leaf.pem), [NAME])).to.equal(
      'key-unusable: tls.key: it holds no PEM private key',
    );
    expect(relayedPairProblem({ 'tls.key': key }, datesOf(leaf.pem), [NAME])).to.equal(
      'not-pem: tls.crt holds no PEM certificate',
    );
  });

  it('has nothing said about its chain without a ca.crt, unless it signed itself', async () => {
    const ca = await madeCertificates.ca();
    const refused = await make(ca, { extensions });
    expect(problem(refused, ca.pem)).to.equal(REFUSED);
    for (const authorities of [undefined, '']) expect(problem(refused, authorities)).to.equal(null);

    const { pem, keys } = await madeCertificates.authority({ subject: 'CN=self', extensions });
    const selfSigned = { pem, key: await madeCertificates.keyPem(keys) };
    for (const authorities of [undefined, ''])
      expect(problem(selfSigned, authorities, []), String(authorities)).to.equal(REFUSED);
    expect(problem(await madeCertificates.selfSigned([NAME]))).to.equal(null);
  });

  it('has not signed itself when only its names or only its key say so', async () => {
    const stranger = await madeCertificates.ca();
    const self = await madeCertificates.authority({ subject: 'CN=self' });
    for (const issuer of [
      { ...stranger, subject: 'CN=self' },
      { ...self, subject: 'CN=other' },
    ]) {
      const { pem, keys } = await madeCertificates.authority({ ...self, issuer, extensions });
      expect(problem({ pem, key: await madeCertificates.keyPem(keys) }, undefined, []), issuer.subject).to.equal(null);
    }
  });

  it('is judged now, or at the moment of its validity that is next to now', async () => {
    const long = { fromDays: -30, toDays: 365 };
    const ca = await madeCertificates.ca('CN=ca', long);
    for (const [fromDays, toDays] of [
      [-20, -10],
      [10, 20],
      [-1, 1],
    ] as const)
      expect(problem(await make(ca, { fromDays, toDays }), ca.pem), `${fromDays}..${toDays}`).to.equal(null);
    const short = await madeCertificates.ca('CN=short', { fromDays: -1, toDays: 1 });
    expect(problem(await make(short, long), short.pem), 'a CA that is valid around now').to.equal(null);
    const leaf = await make(ca);
    const { notAfterMs } = datesOf(leaf.pem);
    expect(relayedPairProblem(valuesOf(leaf, ca.pem), datesOf(leaf.pem), [NAME], notAfterMs)).to.match(/^expired: /);
  });
});
