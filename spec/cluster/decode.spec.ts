import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { describeCertificate } from '../../src/certificates/certificate-info.ts';
import { crossSign, issueCa } from '../../src/certificates/issue.ts';
import { decodeCa, decodeSecret } from '../../src/cluster/decode.ts';
import { leaseSchema } from '../../src/cluster/lease-codec.ts';
import { selfSignedIssuer } from '../../src/cluster/self-signed-issuer.ts';
import { targetObject } from '../../src/cluster/targets.ts';
import { parse } from '../config/parse.ts';
import { pki } from '../support/pki.ts';

const SERVICE = { serviceName: 'svc', namespace: 'ns', serviceNames: ['own.example.com'] };
const DAY_MS = 86_400_000;

const secretOf = (values: Readonly<Record<string, string | Buffer>>, type = 'kubernetes.io/tls') => ({
  metadata: { resourceVersion: '1' },
  type,
  data: Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')])),
});
const writtenBy = (object: ReturnType<typeof secretOf>, manager: string, fieldsV1: object) => ({
  ...object,
  metadata: { ...object.metadata, managedFields: [{ manager, time: '2026-01-01T00:00:00Z', fieldsV1 }] },
});
const valuesOf = async (order: Parameters<typeof pki.pair>[0] = {}) => {
  const { certificate, key, trust } = await pki.pair(order);
  return { 'tls.crt': certificate, 'tls.key': key, 'ca.crt': trust };
};

describe('a decoded Secret', () => {
  it('is valid until the end of its leaf, in whole seconds, and until nothing without a leaf', async () => {
    const nowMs = Math.floor(Date.now() / 1_000) * 1_000;
    const state = decodeSecret(secretOf(await valuesOf({ nowMs })));
    expect(state.validUntil).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(Date.parse(state.validUntil)).to.equal(nowMs + DAY_MS);
    expect(decodeSecret(secretOf({})).validUntil).to.equal('');
  });

  it('names the other field manager of its data, and none of other fields', () => {
    const object = secretOf({});
    expect(decodeSecret(writtenBy(object, 'helm', { 'f:data': { 'f:x': {} } })).otherManager).to.equal('helm');
    expect(decodeSecret(writtenBy(object, 'helm', { 'f:metadata': {} })).otherManager).to.equal(null);
  });

  it('has a problem where it holds values under other keys alone, of which it lists five', () => {
    const problem = (values: Readonly<Record<string, string>>) => decodeSecret(secretOf(values)).problem;
    expect(problem({ a: '1', b: '2', c: '3', d: '4', e: '5', f: '6' })).to.equal(
      'it holds a, b, c, d, e instead of tls.crt, tls.key and ca.crt',
    );
    expect(problem({ a: '', b: '2' })).to.equal('it holds b instead of tls.crt, tls.key and ca.crt');
    for (const values of [{}, { a: '' }, { 'ca.crt': 'x', a: '1' }, { 'tls.crt': '', 'ca.crt': 'x' }])
      expect(problem(values), JSON.stringify(values)).to.equal(null);
  });

  it('is of another party where it lacks values, which are listed', () => {
    const { foreign } = decodeSecret(secretOf({ 'tls.key': '', other: 'x', 'ca.crt': 'x' }), SERVICE);
    expect(foreign).to.equal('another party wrote it, and it lacks tls.crt, tls.key');
  });

  it('may be overwritten where its leaf carries one of the names of the Service', async () => {
    for (const name of ['svc.ns', 'svc.ns.svc', 'svc.ns.svc.cluster.local']) {
      const values = await valuesOf({ names: [name] });
      expect(decodeSecret(secretOf(values), SERVICE).foreign, name).to.equal(null);
    }
    expect(decodeSecret(secretOf(await valuesOf({ names: ['svc'] })), SERVICE).foreign).to.be.a('string');
  });

  it('is of another party, without an error, where its certificate is unreadable', () => {
    const values = { 'tls.crt': 'x', 'tls.key': 'x', 'ca.crt': 'x' };
    expect(decodeSecret(secretOf(values), SERVICE).foreign).to.be.a('string');
  });
});

describe('a decoded SECRET-ca', () => {
  it('is of another party, without an error, where it has none of the expected values', () => {
    expect(decodeCa(secretOf({ x: '1' })).foreign).to.equal('it holds x instead of ca.crt and ca.key');
    expect(decodeCa(secretOf({ a: '1', b: '2', c: '3', d: '4', e: '5', f: '6' })).foreign).to.equal(
      'it holds a, b, c, d, e instead of ca.crt and ca.key',
    );
    expect(decodeCa(secretOf({ 'ca.key': 'x' })).foreign).to.equal('it holds ca.key instead of ca.crt and ca.key');
  });

  it('names the other field manager of its data', () => {
    expect(decodeCa(writtenBy(secretOf({}), 'helm', { 'f:data': { 'f:x': {} } })).otherManager).to.equal('helm');
    expect(decodeCa(writtenBy(secretOf({}), 'helm', { 'f:metadata': {} })).otherManager).to.equal(null);
  });

  it('is its own only with the subject that this program writes and a bundle beside it', async () => {
    const issued = await selfSignedIssuer(configured()).ca(null, '');
    const { certificatePem: other, keyPem: otherKey } = await pki.authority();
    const without = (key: string) => Object.fromEntries(Object.entries(issued).filter(([name]) => name !== key));
    expect(decodeCa(secretOf(issued)).isOwn).to.equal(false);
    expect(decodeCa(secretOf(without('ca-bundle.crt'))).isOwn).to.equal(true);
    expect(decodeCa(secretOf({ ...issued, 'ca.crt': other, 'ca.key': otherKey })).isOwn).to.equal(true);
    const order = { algorithm: 'ecdsa-p256', nowMs: Date.now(), validityMs: DAY_MS } as const;
    for (const subject of ['svc.ns.svc CA 01234567 of another party', 'another party, CN=svc.ns.svc CA 01234567']) {
      const longer = await issueCa({ ...order, subject });
      const values = { 'ca.crt': longer.certificatePem, 'ca.key': longer.keyPem };
      expect(decodeCa(secretOf({ ...issued, ...values })).isOwn, subject).to.equal(true);
    }
  });
});

const configured = () => {
  const parsed = parse();
  if (!parsed.ok) throw new Error(parsed.problems.join());
  return parsed.config;
};

describe('a new CA', () => {
  const buffers = (values: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value)]));

  it('has no cross-signed CA where nothing is stored, and what is stored cannot sign', async () => {
    const issuer = selfSignedIssuer(configured());
    expect((await issuer.ca(null, ''))['ca-bridge.crt']).to.equal('');
    expect((await issuer.ca({}, ''))['ca-bridge.crt']).to.equal('');
    const expired = await pki.authority(Date.now() - 4_000 * DAY_MS);
    const stored = { 'ca.crt': Buffer.from(expired.certificatePem), 'ca.key': Buffer.from(expired.keyPem) };
    expect((await issuer.ca(stored, ''))['ca-bridge.crt']).to.equal('');
  });

  it('has nothing behind the cross-signed CA where the older one has none', async () => {
    const { certificatePem, keyPem } = await pki.authority();
    const stored = buffers({ 'ca.crt': certificatePem, 'ca.key': keyPem });
    const { 'ca-bridge.crt': bridge } = await selfSignedIssuer(configured()).ca(stored, '');
    expect(bridge).to.match(/^-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?$/);
  });

  it('keeps the cross-signed CAs of the older one behind its own, and the kept CAs behind itself', async () => {
    const issuer = selfSignedIssuer(configured());
    const first = await issuer.ca(null, '');
    const second = await issuer.ca(buffers(first), first['ca.crt'] ?? '');
    const third = await issuer.ca(buffers(second), second['ca-bundle.crt'] ?? '');
    expect(second['ca-bundle.crt']).to.equal(`${second['ca.crt'] ?? ''}${first['ca.crt'] ?? ''}`);
    const bridge = third['ca-bridge.crt'] ?? '';
    expect(bridge.endsWith(second['ca-bridge.crt'] ?? 'none')).to.equal(true);
    expect(bridge.match(/BEGIN CERTIFICATE/g)).to.have.length(2);
  });
});

describe('the fields of a target', () => {
  const metadata = { resourceVersion: '1' };
  const fields = (clientConfig: unknown) =>
    targetObject('mutatingwebhookconfiguration', SERVICE)({ metadata, webhooks: [{ clientConfig }] }).fields;
  const field = { pointer: '/webhooks/0/clientConfig/caBundle', pem: '' };

  it('include URLs on the own host, by the loopback addresses or a name of the leaf', () => {
    for (const host of ['localhost', '127.0.0.1:8443', '[::1]:8443', 'own.example.com'])
      expect(fields({ url: `https://${host}/x` }), host).to.deep.equal([field]);
    for (const url of ['https://elsewhere/x', 'https://[::2]/x', 'no url'])
      expect(fields({ url }), url).to.deep.equal([]);
  });

  it('are no fields where one has the wrong type', () => {
    for (const wrong of [{ caBundle: 7 }, { url: 7 }, { service: 7 }])
      expect(() => fields(wrong), JSON.stringify(wrong))
        .to.throw()
        .with.property('issues');
  });

  it('include a call that names neither Service nor URL, and none where there is no call', () => {
    expect(fields({})).to.deep.equal([field]);
    expect(fields({ service: {} })).to.deep.equal([field]);
    expect(fields(null)).to.deep.equal([]);
    expect(fields({ service: { name: 'other' } })).to.deep.equal([]);
  });
});

describe('a decoded Lease', () => {
  const schema = () => leaseSchema('p', 'webhook-certd');
  const lease = (annotations: Readonly<Record<string, unknown>>) => ({
    metadata: { uid: 'u', resourceVersion: '1', annotations },
  });

  it('has no announcement where its annotations are no object', () => {
    for (const annotations of [null, [], 'x', 7])
      expect(schema().parse(lease(annotations as never)).malformed, String(annotations)).to.equal(null);
  });

  it('has a malformed announcement as soon as one of its annotations is there', () => {
    const malformed = (annotations: Readonly<Record<string, unknown>>) => schema().parse(lease(annotations)).malformed;
    expect(malformed({})).to.equal(null);
    expect(malformed({ 'p/cert-ready': 'true' })).to.be.a('string');
    expect(malformed({ 'p/cert-hash': 'a'.repeat(64) })).to.be.a('string');
    expect(malformed({ 'p/cert-valid-until': '2026-12-06T11:12:18Z' })).to.be.a('string');
  });

  it('has no usable announcement whose time is more or less than RFC 3339', () => {
    const malformed = (validUntil: string) =>
      schema().parse(lease({ 'p/cert-ready': 'true', 'p/cert-hash': 'a'.repeat(64), 'p/cert-valid-until': validUntil }))
        .malformed;
    expect(malformed('2026-12-06T11:12:18Z')).to.equal(null);
    for (const text of ['+002026-12-06T11:12:18Z', '2026-12-06T11:12:18Z ', '2026-12-06T11:12:18', '2026-12-06'])
      expect(malformed(text), text).to.equal('cert-valid-until is not RFC 3339');
  });

  it('reads an announcement under another prefix only by the name cert-hash with a hash in it', () => {
    const malformed = (annotations: Readonly<Record<string, unknown>>) => schema().parse(lease(annotations)).malformed;
    expect(malformed({ 'q/cert-hash': 'a'.repeat(64) })).to.include('under q');
    expect(malformed({ 'q/cert-hash': 'x' })).to.equal(null);
    expect(malformed({ 'q/other-hash': 'a'.repeat(64) })).to.equal(null);
    expect(malformed({ 'q/cert-hash': 'a'.repeat(64), 'p/rotate': 'leaf' })).to.include('under q');
  });

  it('names the older CAs of its bundle that have signed it, and those that have signed these', async () => {
    const nowMs = Date.now();
    const make = (subject: string) => issueCa({ algorithm: 'ecdsa-p256', nowMs, validityMs: DAY_MS, subject });
    const [oldest, older, newest, stranger] = [
      await make('one'),
      await make('two'),
      await make('three'),
      await make('one'),
    ];
    const bridge = async (from: typeof oldest, to: typeof oldest) =>
      (await crossSign({ older: from, newer: to, nowMs })) ?? '';
    const bridges = [await bridge(older, newest), await bridge(oldest, older)];
    const fingerprint = ({ certificatePem }: typeof oldest) =>
      describeCertificate(new X509Certificate(certificatePem)).fingerprint;
    const signers = (crossSigned: readonly string[], among = [newest, stranger, older, oldest]) =>
      decodeCa(
        secretOf({
          'ca.crt': newest.certificatePem,
          'ca.key': newest.keyPem,
          'ca-bundle.crt': among.map(({ certificatePem }) => certificatePem).join(''),
          ...(crossSigned.length === 0 ? {} : { 'ca-bridge.crt': crossSigned.join('') }),
        }),
      ).crossSignedBy;
    expect(signers(bridges)).to.deep.equal([fingerprint(older), fingerprint(oldest)]);
    expect(signers(bridges, [newest, oldest]), 'the one between is pruned').to.deep.equal([]);
    expect(signers(bridges.slice(0, 1))).to.deep.equal([fingerprint(older)]);
    expect(signers(bridges.slice(1)), 'it has not signed the current one').to.deep.equal([]);
    expect(signers([])).to.deep.equal([]);
    const back = await bridge(older, oldest);
    expect(signers([...bridges, back]), 'two that have signed each other').to.have.lengthOf(2);
  });
});
