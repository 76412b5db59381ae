import { expect } from 'chai';
import { type Hook, HOOK_LISTS, namespaceOf, serverName, serverText } from '../../src/check/cluster-hooks.ts';
import { hooksIn } from './surveyed.ts';

const CA = 'Q0E=';
const SERVICE = { namespace: 'ns', name: 'svc' };
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const COLLECTIONS = {
  validating: 'validatingwebhookconfigurations',
  mutating: 'mutatingwebhookconfigurations',
  conversion: 'customresourcedefinitions',
  apiservice: 'apiservices',
} as const;

const META = { name: 'all' };
const CLIENT = { service: SERVICE, caBundle: CA };

const admission = (webhook: object, metadata: object = META): readonly Hook[] =>
  hooksIn(COLLECTIONS.validating)({
    metadata,
    webhooks: [{ name: 'a.example.com', clientConfig: CLIENT, ...webhook }],
  });
const conversion = (spec: object, metadata: object = META): readonly Hook[] =>
  hooksIn(COLLECTIONS.conversion)({ metadata, spec });
const aggregated = (spec: object, metadata: object = META): readonly Hook[] =>
  hooksIn(COLLECTIONS.apiservice)({ metadata, spec });

const WEBHOOK_CONVERSION = { conversion: { strategy: 'Webhook', webhook: { clientConfig: CLIENT } } };
/** What a hook is that says no more than it must. */
const NOTHING = {
  annotations: {},
  labels: {},
  writers: [],
  appliedCaBundle: null,
  skipsVerification: false,
  blocks: true,
  matching: null,
};
const TO_SERVICE = { to: 'service', service: { ...SERVICE, port: 443 } };

describe('the hooks of a cluster', () => {
  it('are in four lists', () => {
    expect(HOOK_LISTS.map(({ path }) => path)).to.deep.equal([
      '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
      '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations',
      '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
      '/apis/apiregistration.k8s.io/v1/apiservices',
    ]);
  });

  it('are the webhooks of a configuration, each with its place in it', () => {
    const none = { matchLabels: {}, matchExpressions: [] };
    const matching = { rules: [], namespaceSelector: none, objectSelector: none, isConditional: false };
    for (const kind of ['validating', 'mutating'] as const) {
      const [first, second, ...more] = hooksIn(COLLECTIONS[kind])({
        metadata: { name: 'all' },
        webhooks: [
          { name: 'a.example.com', clientConfig: { url: 'https://example.com' } },
          { name: 'b', clientConfig: CLIENT },
        ],
      });
      expect(more).to.deep.equal([]);
      expect(first).to.deep.include({ server: { to: 'url', url: 'https://example.com' }, caBundle: null });
      expect(second).to.deep.equal({
        ...NOTHING,
        matching,
        ...{ id: `${kind}/all/b`, kind, object: { type: `${kind}webhookconfiguration`, name: 'all' } },
        pointer: '/webhooks/1/clientConfig/caBundle',
        server: TO_SERVICE,
        caBundle: Buffer.from('CA'),
      });
    }
    expect(hooksIn(COLLECTIONS.mutating)({ metadata: META })).to.deep.equal([]);
  });

  it('are the conversion webhooks of CRDs', () => {
    expect(conversion(WEBHOOK_CONVERSION)).to.deep.equal([
      {
        ...NOTHING,
        id: 'conversion/all',
        kind: 'conversion',
        object: { type: 'customresourcedefinition', name: 'all' },
        pointer: '/spec/conversion/webhook/clientConfig/caBundle',
        server: TO_SERVICE,
        caBundle: Buffer.from('CA'),
      },
    ]);
    const { webhook } = WEBHOOK_CONVERSION.conversion;
    for (const spec of [
      {},
      { conversion: { strategy: 'None' } },
      { conversion: { strategy: 'None', webhook } },
      { conversion: { strategy: 'Webhook' } },
      { conversion: { strategy: 'Webhook', webhook: {} } },
    ])
      expect(conversion(spec), JSON.stringify(spec)).to.deep.equal([]);
  });

  it('are the aggregated APIs behind a Service', () => {
    expect(aggregated({ service: SERVICE, caBundle: CA })).to.deep.equal([
      {
        ...NOTHING,
        id: 'apiservice/all',
        kind: 'apiservice',
        object: { type: 'apiservice', name: 'all' },
        pointer: '/spec/caBundle',
        server: TO_SERVICE,
        caBundle: Buffer.from('CA'),
      },
    ]);
    expect(aggregated({ caBundle: CA })).to.deep.equal([]);
    const skips = (insecureSkipTLSVerify?: boolean) =>
      aggregated({ service: SERVICE, insecureSkipTLSVerify })[0]?.skipsVerification;
    expect([skips(true), skips(false), skips()]).to.deep.equal([true, false, false]);
  });

  it('are no objects of another shape, which is an error', () => {
    for (const collection of Object.values(COLLECTIONS))
      for (const object of [{}, { metadata: {} }, { metadata: META, webhooks: 'a', spec: 'b' }])
        expect(() => hooksIn(collection)(object), `${collection} ${JSON.stringify(object)}`).to.throw();
  });
});

describe('a hook of a cluster', () => {
  it('has the labels and annotations of its object', () => {
    const metadata = { name: 'all', labels: { a: 'b' }, annotations: { c: 'd' } };
    for (const [hook] of [
      admission({}, metadata),
      conversion(WEBHOOK_CONVERSION, metadata),
      aggregated({ service: SERVICE }, metadata),
    ])
      expect(hook).to.deep.include({ labels: { a: 'b' }, annotations: { c: 'd' } });
  });

  it('calls a port of a Service, a URL, or nothing that is known', () => {
    const serverOf = (clientConfig: object | null) => admission({ clientConfig })[0]?.server;
    expect(serverOf({ service: { ...SERVICE, port: 8443 } })).to.deep.equal({
      to: 'service',
      service: { ...SERVICE, port: 8443 },
    });
    expect(serverOf({ url: 'https://example.com' })).to.deep.equal({ to: 'url', url: 'https://example.com' });
    for (const nothing of [{}, null]) expect(serverOf(nothing)).to.deep.equal({ to: 'nothing' });
  });

  it('has a caBundle, unless that is absent or empty', () => {
    const bundleOf = (caBundle: string | null | undefined) => [
      admission({ clientConfig: { service: SERVICE, caBundle } })[0]?.caBundle,
      aggregated({ service: SERVICE, caBundle })[0]?.caBundle,
    ];
    expect(bundleOf(CA)).to.deep.equal([Buffer.from('CA'), Buffer.from('CA')]);
    for (const absent of ['', null, undefined]) expect(bundleOf(absent)).to.deep.equal([null, null]);
  });

  it('blocks requests where it cannot be called, unless its failurePolicy is Ignore', () => {
    const blocks = (failurePolicy?: string) => admission({ failurePolicy })[0]?.blocks;
    expect([blocks(), blocks('Fail'), blocks('Ignore')]).to.deep.equal([true, true, false]);
  });

  it('is called for what its rules, selectors and conditions say', () => {
    const rules = [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], scope: '*' }];
    const selectors = { namespaceSelector: { matchLabels: { a: 'b' } }, objectSelector: { matchLabels: { c: 'd' } } };
    const matchingOf = (webhook: object) => admission(webhook)[0]?.matching;
    expect(matchingOf({ rules, ...selectors, matchConditions: [{}] })).to.deep.nested.include({
      'namespaceSelector.matchLabels': { a: 'b' },
      'objectSelector.matchLabels': { c: 'd' },
      isConditional: true,
    });
    expect(matchingOf({ rules })?.rules).to.deep.equal(rules);
    expect(matchingOf({})).to.deep.include({ rules: [], isConditional: false });
    expect(matchingOf({ matchConditions: [] })?.isConditional).to.equal(false);
  });
});

describe('the writers of a caBundle', () => {
  const owned = (...keys: readonly string[]): object =>
    keys.reduceRight<object>((inner, key) => ({ [key]: inner }), {});
  const field = (manager: string | undefined, time: string | undefined, fieldsV1: object | null | undefined) => ({
    manager,
    time,
    fieldsV1,
  });
  const WEBHOOK = owned('f:webhooks', 'k:{"name":"a.example.com"}', 'f:clientConfig', 'f:caBundle');
  const writers = (...managedFields: readonly object[]) => admission({}, { ...META, managedFields })[0]?.writers;

  it('are the managers of that field, each once, the last one first', () => {
    expect(
      writers(
        field('old', undefined, WEBHOOK),
        field('b', '2026-01-02T00:00:00Z', WEBHOOK),
        field('c', '2026-01-03T00:00:00Z', WEBHOOK),
        field('b', '2026-01-01T00:00:00Z', WEBHOOK),
        field(undefined, '2026-01-04T00:00:00Z', WEBHOOK),
      ),
    ).to.deep.equal(['c', 'b', 'old']);
    expect(writers(field('b', '2026-01-02T00:00:00Z', WEBHOOK), field('old', undefined, WEBHOOK))).to.deep.equal([
      'b',
      'old',
    ]);
  });

  it('are not those of another webhook, or of other fields of it', () => {
    const time = '2026-01-01T00:00:00Z';
    for (const fields of [
      null,
      undefined,
      owned('f:webhooks', 'k:{"name":"a.example.com"}'),
      owned('f:webhooks', 'k:{"name":"b.example.com"}', 'f:clientConfig', 'f:caBundle'),
      owned('f:webhooks', 'k:{"name":"a.example.com"}', 'f:clientConfig', 'f:url'),
      owned('f:webhooks'),
      owned('f:metadata'),
    ])
      expect(writers(field('a', time, fields)), JSON.stringify(fields)).to.deep.equal([]);
  });

  it('are found where conversions and aggregated APIs have theirs', () => {
    const managedFields = (...keys: readonly string[]) => [
      field('a', '2026-01-01T00:00:00Z', owned(...keys)),
      field('of-labels', '2026-01-02T00:00:00Z', owned('f:metadata', 'f:labels')),
    ];
    const [crd] = conversion(WEBHOOK_CONVERSION, {
      ...META,
      managedFields: managedFields('f:spec', 'f:conversion', 'f:webhook', 'f:clientConfig', 'f:caBundle'),
    });
    const [api] = aggregated({ service: SERVICE }, { ...META, managedFields: managedFields('f:spec', 'f:caBundle') });
    expect([crd?.writers, api?.writers]).to.deep.equal([['a'], ['a']]);
  });
});

describe('the caBundle that kubectl applied last', () => {
  const withManifest = (manifest: string) => ({ ...META, annotations: { [LAST_APPLIED]: manifest } });
  const applied = (manifest: object): Buffer | null | undefined =>
    admission({}, withManifest(JSON.stringify(manifest)))[0]?.appliedCaBundle;

  it('is in the manifest, where the object has it', () => {
    expect(applied({ webhooks: [{ clientConfig: { caBundle: CA } }] })).to.deep.equal(Buffer.from('CA'));
    const spec = { conversion: { webhook: { clientConfig: { caBundle: CA } } }, caBundle: CA };
    const metadata = withManifest(JSON.stringify({ spec }));
    expect(conversion(WEBHOOK_CONVERSION, metadata)[0]?.appliedCaBundle).to.deep.equal(Buffer.from('CA'));
    expect(aggregated({ service: SERVICE }, metadata)[0]?.appliedCaBundle).to.deep.equal(Buffer.from('CA'));
  });

  it('is none where the manifest has none, or cannot be read', () => {
    for (const manifest of [
      {},
      { webhooks: null },
      { webhooks: 'a' },
      { webhooks: [null, { clientConfig: { caBundle: CA } }] },
      { webhooks: [{ clientConfig: { caBundle: 1 } }] },
      { webhooks: [{ clientConfig: { caBundle: [1] } }] },
      { webhooks: [{ clientConfig: { caBundle: '' } }] },
    ])
      expect(applied(manifest), JSON.stringify(manifest)).to.equal(null);
    for (const manifest of ['', '{', 'null'])
      expect(admission({}, withManifest(manifest))[0]?.appliedCaBundle, manifest).to.equal(null);
  });
});

describe('the server of a hook', () => {
  const toUrl = (url: string): Hook => admission({ clientConfig: { url } })[0]!;
  const toService = (port: number): Hook => admission({ clientConfig: { service: { ...SERVICE, port } } })[0]!;
  const toNothing = admission({ clientConfig: {} })[0]!;

  it('has the name that the certificate must carry', () => {
    expect(serverName(toService(8443))).to.equal('svc.ns.svc');
    expect(serverName(toUrl('https://example.com:8443/a'))).to.equal('example.com');
    expect(serverName(toUrl('https://10.0.0.1/a'))).to.equal('10.0.0.1');
    expect(serverName(toUrl('https://[fd00::1]:8443/a'))).to.equal('fd00::1');
    expect(serverName(toUrl('no URL'))).to.equal('');
    expect(serverName(toNothing)).to.equal('');
  });

  it('is told by its Service and port, 443 aside, or by its URL', () => {
    expect(serverText(toService(443))).to.equal('ns/svc');
    expect(serverText(toService(8443))).to.equal('ns/svc:8443');
    expect(serverText(toUrl('https://example.com/a'))).to.equal('https://example.com/a');
    expect(serverText(toNothing)).to.equal('(no server)');
  });

  it('is in the namespace of its Service', () => {
    expect(namespaceOf(toService(443))).to.equal('ns');
    expect(namespaceOf(toUrl('https://example.com'))).to.equal(null);
    expect(namespaceOf(toNothing)).to.equal(null);
  });
});
