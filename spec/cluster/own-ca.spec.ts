import { generateKeyPairSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { load } from 'js-yaml';
import { readCertificates } from '../../src/certificates/pem.ts';
import { secretPair } from '../../src/certificates/secret-pair.ts';
import { decodeCa, decodeSecret, decodeTarget } from '../../src/cluster/decode.ts';
import { selfSignedIssuer } from '../../src/cluster/self-signed-issuer.ts';
import { Problem } from '../../streams/problem.ts';
import { parse } from '../config/parse.ts';
import { pki } from '../support/pki.ts';

const CASES = new URL('../cases/', import.meta.url);

const read = (path: string): Promise<string> => readFile(new URL(path, CASES), 'utf8');

interface Manifest {
  readonly metadata: object;
  readonly data: Readonly<Record<string, string>>;
}

/** The object of a manifest as `kubectl apply` leaves it in the cluster. */
const applied = async (path: string): Promise<Manifest> => {
  const object = load(await read(path)) as Manifest;
  const fields = Object.fromEntries(Object.keys(object.data).map((key) => [`f:${key}`, {}]));
  const managedFields = [{ manager: 'kubectl', time: '2026-01-01T00:00:00Z', fieldsV1: { 'f:data': fields } }];
  return { ...object, metadata: { ...object.metadata, resourceVersion: '1', managedFields } };
};

const secretOf = (values: Readonly<Record<string, string>>, manager = 'kubectl') => ({
  metadata: {
    resourceVersion: '1',
    managedFields: [
      { manager, fieldsV1: { 'f:data': Object.fromEntries(Object.keys(values).map((key) => [`f:${key}`, {}])) } },
    ],
  },
  data: Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')])),
});

const config = () => {
  const parsed = parse();
  if (!parsed.ok) throw new Error(parsed.problems.join());
  return parsed.config;
};

const buffers = (values: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value)]));

describe('a CA that another party put into SECRET-ca', () => {
  it('signs although a byte order mark precedes it', async () => {
    const state = decodeCa(await applied('own-ca-is-overwritten/byte-order-mark.yaml'));
    expect(state.current).not.to.equal(null);
    expect(state).to.include({ isOwn: true, foreign: null });
  });

  it('is the certificate that the key fits, wherever it stands in ca.crt', async () => {
    const state = decodeCa(await applied('own-ca-is-overwritten/root-first.yaml'));
    expect(state.current?.subject).to.equal('CN=corp-intermediate');
  });

  const unusable: readonly (readonly [string, RegExp])[] = [
    ['own-ca-is-overwritten/encrypted-key.yaml', /^ca\.key: it is protected by a passphrase$/],
    [
      'own-ca-is-overwritten/cert-manager-ca.yaml',
      /^it holds tls\.crt, tls\.key, ca\.crt instead of ca\.crt and ca\.key$/,
    ],
  ];
  for (const [path, reason] of unusable) {
    it(`is foreign, with the reason, where it cannot sign: ${path}`, async () => {
      const state = decodeCa(await applied(path));
      expect(state.current).to.equal(null);
      expect(state.foreign).to.match(reason);
    });
  }

  it('is foreign where its key is on a curve that Go does not know', async () => {
    const { certificatePem } = await pki.authority();
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
    const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    expect(decodeCa(secretOf({ 'ca.crt': certificatePem, 'ca.key': keyPem })).foreign).to.match(/secp256k1/);
  });

  it('is not foreign where this program wrote the key, or where there is nothing', () => {
    expect(decodeCa(secretOf({ 'ca.crt': 'x', 'ca.key': 'y' }, 'webhook-certd')).foreign).to.equal(null);
    expect(decodeCa(secretOf({})).foreign).to.equal(null);
    expect(decodeCa(secretOf({ 'ca.crt': '', 'ca.key': '' })).foreign).to.equal(null);
  });

  it('is ours where somebody restored a backup of what this program wrote', async () => {
    const written = await selfSignedIssuer(config()).ca(null, '');
    expect(decodeCa(secretOf(written))).to.include({ isOwn: false, foreign: null });
    expect(decodeCa(secretOf({ ...written, 'ca.key': 'torn' })).foreign).to.equal(null);
  });
});

describe('a serving Secret that another party wrote', () => {
  const SERVICE = { serviceName: 'svc', namespace: 'ns', serviceNames: ['svc.ns.svc'] };
  const TLS = 'kubernetes.io/tls';
  const foreign = (object: object, service: typeof SERVICE | null = SERVICE) => decodeSecret(object, service).foreign;
  const stored = async (order: Parameters<typeof pki.pair>[0] = {}) => {
    const { certificate, key, trust } = await pki.pair(order);
    return { 'tls.crt': certificate.toString(), 'tls.key': key.toString(), 'ca.crt': trust.toString() };
  };

  it('is foreign, with the reason, where it has other keys', async () => {
    const object = await applied('external-pair-refused-in-silence/certgen-secret.yaml');
    expect(foreign(object)).to.equal('it holds ca, cert, key instead of tls.crt, tls.key and ca.crt');
  });

  it('is foreign where its type, its keys or its names are not those of a serving Secret for this Service', async () => {
    const values = await stored();
    expect(foreign(secretOf(values))).to.equal('another party wrote it, and its type is Opaque');
    expect(foreign({ ...secretOf({ ...values, 'ca.crt': '' }), type: TLS })).to.equal(
      'another party wrote it, and it lacks ca.crt',
    );
    const other = await stored({ names: ['other.ns.svc', 'svc'] });
    expect(foreign({ ...secretOf(other), type: TLS })).to.equal(
      'another party wrote it, and its certificate is not for svc.ns.svc',
    );
    expect(foreign({ ...secretOf({ ...values, 'tls.crt': 'torn' }), type: TLS })).to.be.a('string');
  });

  it('is not foreign where it has the layout, as a restored backup has, although its leaf cannot be used', async () => {
    const values = await stored();
    expect(foreign({ ...secretOf(values), type: TLS })).to.equal(null);
    const expired = await stored({ names: ['svc.ns.svc'], nowMs: Date.now() - 200 * 86_400_000 });
    expect(foreign({ ...secretOf(expired), type: TLS })).to.equal(null);
    const { 'tls.key': otherKey } = await stored();
    const mismatched = decodeSecret({ ...secretOf({ ...values, 'tls.key': otherKey }), type: TLS }, SERVICE);
    expect(mismatched).to.include({ foreign: null, problem: 'tls.key belongs to another certificate' });
  });

  it('is not foreign where it is empty, where this program wrote a value, or where another program issues', async () => {
    const values = await stored({ names: ['other'] });
    expect(foreign(secretOf({}))).to.equal(null);
    expect(foreign(secretOf({ 'tls.crt': '', 'tls.key': '' }))).to.equal(null);
    expect(foreign(secretOf({ ...values, 'tls.crt': 'torn' }, 'webhook-certd'))).to.equal(null);
    expect(foreign(secretOf(values), null)).to.equal(null);
  });
});

describe('a leaf of a stored CA', () => {
  it('is not issued where its CA may not sign for its names, and the reason is given', async () => {
    const folder = 'unverified-certificate-replaces-a-good-one';
    const stored = { 'ca.crt': await read(`${folder}/ca.crt`), 'ca.key': await read(`${folder}/ca.key`) };
    const failure = await selfSignedIssuer(config())
      .leaf(buffers(stored), stored['ca.crt'])
      .then(
        () => null,
        (error: unknown) => error,
      );
    expect(failure).to.be.instanceOf(Problem);
    expect(String(failure)).to.match(/the CA in SECRET-ca cannot sign for \S+: .*not permitted by any name constraint/);
  });

  it('is issued by an intermediate', async () => {
    const stored = {
      'ca.crt': await read('intermediate-as-the-ca/ca.crt'),
      'ca.key': await read('intermediate-as-the-ca/ca.key'),
    };
    const values = await selfSignedIssuer(config()).leaf(buffers(stored), stored['ca.crt']);
    expect(secretPair(buffers(values))).to.include({ problem: null });
  });

  it('leaves out what ca-bridge.crt holds besides cross-signed certificates of its CA', async () => {
    const { data } = await applied('garbage-in-ca-bridge/secret-ca.yaml');
    const stored = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64')]));
    const trust = stored['ca-bundle.crt']?.toString() ?? '';
    const values = await selfSignedIssuer(config()).leaf(stored, trust);
    expect(readCertificates(values['tls.crt'] ?? '')).to.have.lengthOf(1);
    const foreign = await pki.authority();
    const other = await selfSignedIssuer(config()).leaf(
      { ...stored, 'ca-bridge.crt': Buffer.from(foreign.certificatePem) },
      trust,
    );
    expect(readCertificates(other['tls.crt'] ?? '')).to.have.lengthOf(1);
  });

  it('carries its CA cross-signed by the older one', async () => {
    const issuer = selfSignedIssuer(config());
    const older = await issuer.ca(null, '');
    const newer = await issuer.ca(buffers(older), older['ca.crt'] ?? '');
    const values = await issuer.leaf(buffers(newer), newer['ca-bundle.crt'] ?? '');
    expect(readCertificates(values['tls.crt'] ?? '')).to.have.lengthOf(2);
  });
});

describe('an external Secret', () => {
  it('says under which keys its values are where they are not the expected ones', async () => {
    const object = await applied('external-pair-refused-in-silence/certgen-secret.yaml');
    expect(decodeSecret(object).problem).to.equal('it holds ca, cert, key instead of tls.crt, tls.key and ca.crt');
  });

  it('keeps what can be read of ca.crt, and says what cannot', async () => {
    const { certificate, key } = await pki.pair();
    const trust = await read('external-ca-crt-half-readable/one-broken-block.pem');
    const state = decodeSecret(
      secretOf({ 'tls.crt': certificate.toString(), 'tls.key': key.toString(), 'ca.crt': trust }),
    );
    expect(state.trust).to.have.lengthOf(1);
    expect(state.trustProblems).to.have.lengthOf(1);
    expect(state.trustProblems?.[0]).to.match(/^ca\.crt: PEM block 2 /);
  });
});

describe('a configuration with a webhook of another Service', () => {
  it('has only the caBundle of the own Service maintained', async () => {
    const object = load(
      await read('foreign-webhook-in-our-configuration/validatingwebhookconfiguration.yaml'),
    ) as Manifest;
    const service = {
      serviceName: 'kubetemplater-webhook-service',
      namespace: 'hooks',
      serviceNames: ['own.example.com'],
    };
    const decode = decodeTarget('validatingwebhookconfiguration', service);
    expect(decode({ ...object, metadata: { resourceVersion: '1' } }).bundles).to.deep.equal([[]]);
  });

  it('leaves alone URLs, CRDs and APIServices that call elsewhere', () => {
    const service = { serviceName: 'svc', namespace: 'ns', serviceNames: ['own.example.com'] };
    const metadata = { resourceVersion: '1' };
    const count = (clientConfig: object) => {
      const hooks = decodeTarget('mutatingwebhookconfiguration', service)({ metadata, webhooks: [{ clientConfig }] });
      const spec = { conversion: { strategy: 'Webhook', webhook: { clientConfig } } };
      const crd = decodeTarget('customresourcedefinition', service)({ metadata, spec });
      return [hooks.bundles.length, crd.bundles.length];
    };
    expect(count({ url: 'https://elsewhere.example.com/x' })).to.deep.equal([0, 0]);
    expect(count({ url: 'https://own.example.com:8443/x' })).to.deep.equal([1, 1]);
    expect(count({ service: { name: 'svc', namespace: 'other' } })).to.deep.equal([0, 0]);
    expect(count({ service: { name: 'svc', namespace: 'ns' } })).to.deep.equal([1, 1]);
    const api = (name: string) =>
      decodeTarget('apiservice', service)({ metadata, spec: { service: { name, namespace: 'ns' } } });
    expect([api('svc'), api('other')].map(({ bundles }) => bundles.length)).to.deep.equal([1, 0]);
  });
});
