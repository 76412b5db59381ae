import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import { expect } from 'chai';
import type { Hook } from '../../src/check/cluster-hooks.ts';
import { createVerifier, type Verification } from '../../src/check/cluster-trust.ts';
import { type MadeCa, madeCertificates, type MadeLeaf } from '../support/made-certificates.ts';
import { certificateOf, type GivenHook, hookOf } from './surveyed.ts';

const NAME = 'svc.ns.svc';
const NOW_MS = Date.now();
interface Pem {
  readonly pem: string;
}

let ca: MadeCa;
let other: MadeCa;
let good: MadeLeaf;
before(async () => {
  [ca, other] = await Promise.all([madeCertificates.ca('CN=one'), madeCertificates.ca('CN=other')]);
  good = await madeCertificates.leaf({ ca, names: [NAME], toDays: 100 });
});

describe('the trust of a webhook', () => {
  const trustOf = (given: GivenHook) => createVerifier(NOW_MS).trustOf(hookOf(given));

  it('is its caBundle, as far as that is readable', () => {
    const { anchors, problems, isPublic } = trustOf({ caBundle: `${ca.pem}-----BEGIN CERTIFICATE-----\n${other.pem}` });
    expect(anchors.map(({ subject }) => subject)).to.deep.equal(['CN=one', 'CN=other']);
    expect(problems).to.have.length(1);
    expect(isPublic).to.equal(false);
  });

  it('is what Node trusts where it has no caBundle', () => {
    const { anchors, problems, isPublic } = trustOf({ caBundle: '' });
    expect(anchors.map(({ fingerprint256 }) => fingerprint256)).to.deep.equal(
      rootCertificates.map((pem) => new X509Certificate(pem).fingerprint256),
    );
    expect({ problems, isPublic }).to.deep.equal({ problems: [], isPublic: true });
  });
});

describe('the verification of what a webhook shows', () => {
  const verify = (given: GivenHook, ...chain: readonly Pem[]): Verification =>
    createVerifier(NOW_MS).verify(hookOf(given), chain.map(certificateOf));
  const endOf = (bundle: readonly Pem[], ...chain: readonly Pem[]) => {
    const { faults, end } = verify({ caBundle: bundle.map(({ pem }) => pem).join('') }, ...chain);
    expect(faults).to.deep.equal([]);
    return end === null ? null : { atMs: end.atMs, of: end.certificate.subject, isLeaf: end.isLeaf };
  };
  const atMs = (made: Pem): number => certificateOf(made).validToDate.getTime();

  it('tells every fault, and no end of what has already ended', () => {
    const reasons = ({ faults }: Verification): readonly string[] => faults.map(({ reason }) => reason);
    const refused = verify({ caBundle: other.pem, url: 'https://elsewhere.example.com' }, good);
    expect(reasons(refused)).to.deep.equal(['missing-names', 'untrusted-chain']);
    expect(refused.end).to.equal(null);
    expect(reasons(verify({ caBundle: ca.pem, url: `https://${NAME}:8443/a` }, good))).to.deep.equal([]);
    expect(verify({ caBundle: ca.pem })).to.deep.equal({ faults: [], end: null });
  });

  it('tells when the leaf ends', () => {
    expect(endOf([ca], good)).to.deep.equal({ atMs: atMs(good), of: `CN=${NAME}`, isLeaf: true });
    expect(endOf([good], good)).to.deep.equal({ atMs: atMs(good), of: `CN=${NAME}`, isLeaf: true });
  });

  it('tells that a CA on the path ends before the leaf, wherever it comes from', async () => {
    const { authority, leaf } = madeCertificates;
    const root = await authority({ subject: 'CN=root', toDays: 20 });
    const short = await authority({ subject: 'CN=between', issuer: root, toDays: 10 });
    const long = await authority({ subject: 'CN=between', issuer: root, keys: short.keys, toDays: 200 });
    const child = await leaf({ ca: short, names: [NAME] });
    expect(endOf([root], child, short)).to.deep.equal({ atMs: atMs(short), of: 'CN=between', isLeaf: false });
    expect(endOf([root], child, long)).to.deep.equal({ atMs: atMs(root), of: 'CN=root', isLeaf: false });
    expect(endOf([short], child)).to.deep.equal({ atMs: atMs(short), of: 'CN=between', isLeaf: false });
  });

  it('tells no end that does not matter: another path goes on, or it is over already', async () => {
    const { authority, ca: caOf, leaf } = madeCertificates;
    const ending = await authority({ subject: 'CN=one', keys: ca.keys, toDays: 10 });
    const ended = await authority({ subject: 'CN=one', keys: ca.keys, fromDays: -9, toDays: -3 });
    const beside = await caOf('CN=beside', { toDays: 10 });
    const expected = { atMs: atMs(good), of: `CN=${NAME}`, isLeaf: true };
    expect(endOf([ending, ca], good)).to.deep.equal(expected);
    expect(endOf([ended, ca], good)).to.deep.equal(expected);
    expect(endOf([ca, beside], good, beside)).to.deep.equal(expected);
    const trusted = await leaf({ ca: other, names: [NAME], toDays: 30 });
    expect(endOf([ca, trusted], trusted)).to.deep.equal({ ...expected, atMs: atMs(trusted) });
  });

  it('names the CA on the path, not another one that ends in the same moment', async () => {
    const { ca: caOf, leaf } = madeCertificates;
    const toMs = NOW_MS + 864_000_000;
    const [beside, above] = await Promise.all(['CN=beside', 'CN=above'].map((name) => caOf(name, { toMs })));
    const child = await leaf({ ca: above!, names: [NAME] });
    expect(endOf([beside!, above!], child)).to.include({ of: 'CN=above' });
  });

  it('is made once for hooks that share the bundle, the name and the chain', async () => {
    const { verify: verifyBy, trustOf } = createVerifier(NOW_MS);
    const twin = await madeCertificates.leaf({ ca, names: [NAME] });
    const hook = (given: GivenHook): Hook => hookOf({ caBundle: ca.pem, ...given });
    const first = verifyBy(hook({}), [certificateOf(good)]);
    expect(verifyBy(hook({ kind: 'conversion' }), [certificateOf(good)])).to.equal(first);
    expect(verifyBy(hook({ url: `https://${NAME}` }), [certificateOf(good)])).to.equal(first);
    for (const [given, chain] of [
      [{ caBundle: other.pem }, [good]],
      [{ url: 'https://example.com' }, [good]],
      [{}, [twin]],
      [{}, [good, ca]],
    ] as const)
      expect(verifyBy(hook(given), chain.map(certificateOf)), JSON.stringify(given)).not.to.equal(first);
    expect(trustOf(hook({}))).to.equal(trustOf(hook({ kind: 'conversion' })));
    expect(trustOf(hook({}))).not.to.equal(trustOf(hook({ caBundle: other.pem })));
  });
});
