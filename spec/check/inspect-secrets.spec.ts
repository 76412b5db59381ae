import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { describeCertificate } from '../../src/certificates/certificate-info.ts';
import {
  inspectCa,
  inspectSecret,
  inspectSource,
  type SecretInfo,
  trustAnchors,
} from '../../src/check/inspect-secrets.ts';
import { sha256Hex } from '../../src/util/hash.ts';
import { madeCertificates } from '../support/made-certificates.ts';
import { type MountedPair, pki } from '../support/pki.ts';
import { BROKEN_BLOCK, secretBody } from './snapshot-of.ts';

const SERVICE = { serviceName: 'svc', namespace: 'ns', serviceNames: [] };
const CERTIFICATE_NAME = 'cert-manager.io/certificate-name';

const factsOf = (pem: string | Buffer) => describeCertificate(new X509Certificate(pem));

describe('the serving Secret as check reads it', () => {
  let pair: MountedPair;
  before(async () => {
    pair = await pki.pair();
  });

  const valuesOf = (over: Readonly<Record<string, string | undefined>> = {}) => ({
    'tls.crt': String(pair.certificate),
    'tls.key': String(pair.key),
    'ca.crt': String(pair.trust),
    ...over,
  });
  const read = (over: Readonly<Record<string, string | undefined>> = {}, more: object = {}): SecretInfo =>
    inspectSecret(SERVICE)(secretBody(valuesOf(over), more));

  it('is what its object says', () => {
    const { chain, trust, ...rest } = read(
      {},
      {
        immutable: true,
        metadata: { resourceVersion: '7', labels: { a: 'b' }, annotations: { [CERTIFICATE_NAME]: 'orders' } },
      },
    );
    expect(rest).to.deep.equal({
      resourceVersion: '7',
      foreign: null,
      type: 'kubernetes.io/tls',
      labels: { a: 'b' },
      certificateName: 'orders',
      hash: pair.hash,
      problem: null,
      leaf: factsOf(pair.certificate),
      trustProblem: null,
      isImmutable: true,
    });
    expect(chain.map(String)).to.deep.equal([String(new X509Certificate(pair.certificate))]);
    expect(trust.map(String)).to.deep.equal([String(new X509Certificate(pair.trust))]);
  });

  it('has nothing that its object leaves out', () => {
    const nothing = {
      resourceVersion: '7',
      foreign: null,
      type: 'Opaque',
      labels: {},
      certificateName: null,
      hash: null,
      problem: null,
      chain: [],
      leaf: null,
      trust: [],
      trustProblem: null,
      isImmutable: false,
    };
    expect(inspectSecret(SERVICE)({ metadata: { resourceVersion: '7' } })).to.deep.equal(nothing);
    const metadata = { resourceVersion: '7', labels: null, annotations: null };
    expect(inspectSecret(null)({ metadata, type: null, immutable: null, data: null })).to.deep.equal(nothing);
    expect(read({ 'tls.crt': '', 'tls.key': '', 'ca.crt': '' })).to.deep.equal({
      ...nothing,
      type: 'kubernetes.io/tls',
    });
    expect(read({}, { metadata: { resourceVersion: '7', annotations: {} } }).certificateName).to.equal(null);
  });

  it('is nothing but a Secret', () => {
    for (const object of [null, {}, { metadata: {} }, { metadata: { resourceVersion: '7' }, data: 'x' }])
      expect(() => inspectSecret(SERVICE)(object), JSON.stringify(object)).to.throw();
  });

  it('belongs to another party only where the leader issues', () => {
    const stranger = { type: 'Opaque' };
    expect(read({}, stranger).foreign).to.equal('another party wrote it, and its type is Opaque');
    expect(inspectSecret(null)(secretBody(valuesOf(), stranger)).foreign).to.equal(null);
  });

  it('has a hash and a problem where its certificate cannot be read, and no leaf', () => {
    const broken = read({ 'tls.crt': BROKEN_BLOCK });
    expect(broken).to.deep.include({ hash: sha256Hex(Buffer.from(BROKEN_BLOCK)), chain: [], leaf: null });
    expect(broken.problem).to.match(/^tls\.crt: /);
  });

  it('shows the leaf of a pair that cannot be used', async () => {
    const other = await pki.pair();
    const mixed = read({ 'tls.key': String(other.key) });
    expect(mixed.problem).to.be.a('string');
    expect(mixed.leaf).to.deep.equal(factsOf(pair.certificate));
  });

  it('has the certificates of ca.crt that can be read, and what is wrong with the others', () => {
    const trustOf = (text: string) => {
      const { trust, trustProblem } = read({ 'ca.crt': text });
      return [trust.length, trustProblem];
    };
    const good = String(pair.trust);
    expect(trustOf(good + good)).to.deep.equal([2, null]);
    expect(trustOf('no PEM')).to.deep.equal([0, 'it contains no certificate']);
    const [count, problem] = trustOf(good + BROKEN_BLOCK);
    expect(count).to.equal(1);
    expect(problem).to.be.a('string').and.not.include('byte order mark');
    expect(trustOf(BROKEN_BLOCK)[0]).to.equal(0);
    expect(trustOf(BROKEN_BLOCK)[1]).to.be.a('string').and.not.equal('it contains no certificate');
  });

  it('tells of a byte order mark before ca.crt, as Windows writes it', () => {
    expect(read({ 'ca.crt': `\ufeff${String(pair.trust)}` }).trustProblem).to.equal('it starts with a byte order mark');
    for (const start of ['\ufffe', 'ï»¿', '\u{1feff}'])
      expect(read({ 'ca.crt': start + String(pair.trust) }).trustProblem, start).to.not.include('byte order mark');
  });
});

describe('the anchors of the serving Secret', () => {
  it('are its ca.crt, or its leaf where that has signed itself', async () => {
    const ca = await madeCertificates.ca();
    const leaf = new X509Certificate((await madeCertificates.leaf({ ca, names: ['svc'] })).pem);
    const selfSigned = new X509Certificate((await madeCertificates.selfSigned(['svc'])).pem);
    const named = { ...ca, subject: leaf.subject };
    const likeSelfSigned = new X509Certificate((await madeCertificates.leaf({ ca: named, names: ['svc'] })).pem);
    const anchors = (chain: readonly X509Certificate[], trust: readonly X509Certificate[] = []) =>
      trustAnchors({ chain, trust } as unknown as SecretInfo);
    const trust = [new X509Certificate(ca.pem)];
    expect(anchors([leaf], trust)).to.equal(trust);
    expect(anchors([selfSigned], trust)).to.equal(trust);
    expect(anchors([selfSigned])).to.deep.equal([selfSigned]);
    expect(anchors([leaf])).to.deep.equal([]);
    expect(anchors([likeSelfSigned])).to.deep.equal([]);
    expect(anchors([])).to.deep.equal([]);
  });
});

describe('SOURCE_SECRET as check reads it', () => {
  it('is what the leader sees, with the Certificate of cert-manager that it belongs to', async () => {
    const { certificate, key, trust } = await pki.pair();
    const object = secretBody(
      { 'tls.crt': String(certificate), 'tls.key': String(key), 'ca.crt': String(trust) },
      { metadata: { resourceVersion: '7', annotations: { [CERTIFICATE_NAME]: 'orders' } } },
    );
    const { state, certificateName } = inspectSource(['svc.ns.svc'])(object);
    expect(certificateName).to.equal('orders');
    expect(state).to.include({ resourceVersion: '7', problem: null, hash: sha256Hex(certificate) });
    expect(inspectSource(['other.ns.svc'])(object).state.problem).to.match(/^missing-names: /);
    expect(inspectSource(null)(object).state.problem).to.equal(null);
  });
});

describe('SECRET-ca as check reads it', () => {
  const body = (values: Readonly<Record<string, string>>, over: object = {}) =>
    secretBody(values, { type: 'Opaque', ...over });
  const by = (manager: string) => ({
    metadata: { resourceVersion: '8', managedFields: [{ manager, fieldsV1: { 'f:data': { 'f:ca.key': {} } } }] },
  });

  it('is the CA that signs, with the older ones', async () => {
    const [current, older] = await Promise.all([pki.authority(), pki.authority()]);
    const values = {
      'ca.crt': current.certificatePem,
      'ca.key': current.keyPem,
      'ca-bundle.crt': current.certificatePem + older.certificatePem,
    };
    const expected = {
      resourceVersion: '8',
      current: factsOf(current.certificatePem),
      problem: null,
      bundle: [factsOf(current.certificatePem), factsOf(older.certificatePem)],
      isForeign: false,
      isImmutable: false,
    };
    expect(inspectCa(body(values, by('webhook-certd')))).to.deep.equal(expected);
    expect(inspectCa(body(values, { ...by('webhook-certd'), immutable: true }))).to.deep.equal({
      ...expected,
      isImmutable: true,
    });
    expect(inspectCa(body(values, by('kubectl')))).to.deep.equal({ ...expected, isForeign: true });
  });

  it('has a problem where it cannot sign, and is of another party where that put it there', async () => {
    const { certificatePem } = await pki.authority();
    const own = inspectCa(body({ 'ca.crt': certificatePem, 'ca.key': 'x' }, by('webhook-certd')));
    expect(own).to.deep.include({ current: null, isForeign: false });
    expect(own.problem).to.match(/^ca\.key: /);
    const foreign = inspectCa(body({ 'tls.crt': certificatePem }, by('kubectl')));
    expect(foreign).to.deep.include({
      current: null,
      problem: 'it holds tls.crt instead of ca.crt and ca.key',
      isForeign: true,
    });
  });

  it('has no bundle without ca-bundle.crt, and none that is known where that cannot be read', () => {
    expect(inspectCa(body({})).bundle).to.deep.equal([]);
    expect(inspectCa(body({ 'ca-bundle.crt': BROKEN_BLOCK })).bundle).to.equal(null);
  });

  it('is nothing but a Secret', () => {
    expect(() => inspectCa({})).to.throw();
  });
});
