import { expect } from 'chai';
import { inspectTarget, ruleSchema, selectorSchema, type TargetInfo } from '../../src/check/inspect-target.ts';

const SERVICE = { name: 'web', namespace: 'hooks' } as const;
const CA = Buffer.from('CA').toString('base64');
const METADATA = { resourceVersion: '1' } as const;
const EVERYTHING = { matchLabels: {}, matchExpressions: [] };

const configuration = (...webhooks: readonly object[]): TargetInfo =>
  inspectTarget('validatingwebhookconfiguration')({ metadata: METADATA, webhooks });
const definition = (spec: object | null): TargetInfo =>
  inspectTarget('customresourcedefinition')({ metadata: METADATA, spec });
const apiService = (spec: object | null, managedFields?: unknown): TargetInfo =>
  inspectTarget('apiservice')({ metadata: { ...METADATA, managedFields }, spec });

describe('the calls of an object that check reads', () => {
  it('are those of its webhooks, to a Service or a URL, each with its caBundle', () => {
    const { calls } = configuration(
      { name: 'a', clientConfig: { service: { ...SERVICE, port: 8443 }, caBundle: CA } },
      { name: 'b', clientConfig: { url: 'https://example.com/b' } },
      { name: 'c', clientConfig: { service: null, url: null } },
    );
    expect(calls).to.deep.equal([
      {
        field: { pointer: '/webhooks/0/clientConfig/caBundle', pem: 'CA' },
        service: SERVICE,
        url: null,
        server: 'web.hooks.svc',
      },
      {
        field: { pointer: '/webhooks/1/clientConfig/caBundle', pem: '' },
        service: null,
        url: 'https://example.com/b',
        server: 'https://example.com/b',
      },
      { field: { pointer: '/webhooks/2/clientConfig/caBundle', pem: '' }, service: null, url: null, server: '' },
    ]);
  });

  it('are that of a conversion, and none without one', () => {
    const { calls } = definition({ conversion: { webhook: { clientConfig: { service: SERVICE, caBundle: CA } } } });
    expect(calls).to.deep.equal([
      {
        field: { pointer: '/spec/conversion/webhook/clientConfig/caBundle', pem: 'CA' },
        service: SERVICE,
        url: null,
        server: 'web.hooks.svc',
      },
    ]);
    for (const spec of [null, {}, { conversion: null }, { conversion: { webhook: null } }])
      expect(definition(spec).calls, JSON.stringify(spec)).to.deep.equal([]);
  });

  it('are that of an aggregated API, and none where it is local', () => {
    expect(apiService({ service: SERVICE, caBundle: CA }).calls).to.deep.equal([
      { field: { pointer: '/spec/caBundle', pem: 'CA' }, service: SERVICE, url: null, server: 'web.hooks.svc' },
    ]);
    for (const spec of [null, {}, { service: null }]) expect(apiService(spec).calls).to.deep.equal([]);
  });

  it('are not verified where an APIService says so', () => {
    const skips = (insecureSkipTLSVerify?: boolean | null): boolean =>
      apiService({ service: SERVICE, insecureSkipTLSVerify }).skipsVerification;
    expect([skips(true), skips(false), skips(null), skips()]).to.deep.equal([true, false, false, false]);
    expect(apiService(null).skipsVerification).to.equal(false);
  });

  it('are read of nothing but such an object', () => {
    for (const object of [
      null,
      {},
      { metadata: {} },
      { metadata: METADATA, webhooks: [{}] },
      { metadata: METADATA, webhooks: [{ name: 'a', clientConfig: { service: { name: 'web' } } }] },
      { metadata: METADATA, webhooks: [{ name: 'a', namespaceSelector: { matchExpressions: [{ key: 'a' }] } }] },
    ])
      expect(() => inspectTarget('mutatingwebhookconfiguration')(object), JSON.stringify(object)).to.throw();
  });
});

describe('the webhooks of an object that check reads', () => {
  it('block, and are called for no request by a rule, where they say nothing', () => {
    for (const given of [
      { name: 'a' },
      {
        name: 'a',
        failurePolicy: null,
        rules: null,
        namespaceSelector: null,
        objectSelector: null,
        matchConditions: null,
        clientConfig: null,
      },
    ]) {
      const [webhook] = configuration({ clientConfig: {}, ...given }).webhooks;
      expect(webhook).to.deep.include({
        name: 'a',
        blocks: true,
        rules: [],
        namespaceSelector: EVERYTHING,
        objectSelector: EVERYTHING,
        isConditional: false,
      });
    }
    expect(apiService({}).webhooks).to.deep.equal([]);
  });

  it('are what they say', () => {
    const rule = {
      operations: ['CREATE'],
      apiGroups: ['apps'],
      apiVersions: ['v1'],
      resources: ['deployments'],
      scope: 'Namespaced',
    };
    const namespaceSelector = {
      matchLabels: { a: 'b' },
      matchExpressions: [
        { key: 'c', operator: 'In', values: ['d'] },
        { key: 'e', operator: 'Exists', values: [] },
      ],
    };
    const objectSelector = { matchLabels: { f: 'g' }, matchExpressions: [] };
    const [webhook] = configuration({
      name: 'a',
      clientConfig: {},
      failurePolicy: 'Ignore',
      rules: [rule],
      namespaceSelector: {
        ...namespaceSelector,
        matchExpressions: [namespaceSelector.matchExpressions[0], { key: 'e', operator: 'Exists' }],
      },
      objectSelector: { matchLabels: objectSelector.matchLabels, matchExpressions: null },
      matchConditions: [{ name: 'x', expression: 'true' }],
    }).webhooks;
    expect(webhook).to.deep.include({
      blocks: false,
      rules: [rule],
      namespaceSelector,
      objectSelector,
      isConditional: true,
    });
    expect(
      configuration({ name: 'a', clientConfig: {}, failurePolicy: 'Fail', matchConditions: [] }).webhooks[0],
    ).to.include({
      blocks: true,
      isConditional: false,
    });
  });

  it('have rules of every scope, and for nothing, where a rule says nothing', () => {
    const nothing = { operations: [], apiGroups: [], apiVersions: [], resources: [], scope: '*' };
    for (const rule of [{}, Object.fromEntries(Object.keys(nothing).map((key) => [key, null]))])
      expect(ruleSchema.parse(rule)).to.deep.equal(nothing);
  });

  it('have selectors of everything, where a selector says nothing', () => {
    for (const selector of [undefined, null, {}, { matchLabels: null, matchExpressions: null }])
      expect(selectorSchema.parse(selector)).to.deep.equal(EVERYTHING);
    expect(
      selectorSchema.parse({ matchExpressions: [{ key: 'a', operator: 'DoesNotExist', values: null }] })
        .matchExpressions,
    ).to.deep.equal([{ key: 'a', operator: 'DoesNotExist', values: [] }]);
  });
});

describe('the other managers of an object that check reads', () => {
  it('are those that own a caBundle, with where managedFields says so', () => {
    const { otherManagers } = apiService({}, [
      { manager: 'webhook-certd', fieldsV1: { 'f:spec': { 'f:caBundle': {} } } },
      {
        manager: 'helm',
        fieldsV1: {
          'f:spec': { 'f:caBundle': {}, 'f:version': {} },
          'f:webhooks': {
            'k:{"name":"a/b~c"}': { '.': {}, 'f:clientConfig': { 'f:caBundle': {} } },
            'k:{"name":"d"}': { 'f:clientConfig': { 'f:url': {} } },
          },
        },
      },
      { manager: 'kubectl', fieldsV1: { 'f:spec': { 'f:group': {} } } },
      { manager: null, fieldsV1: { 'f:spec': { 'f:caBundle': {} } } },
      { fieldsV1: { 'f:spec': { 'f:caBundle': {} } } },
      { manager: 'empty', fieldsV1: null },
      { manager: 'none' },
    ]);
    expect(otherManagers).to.deep.equal([
      {
        manager: 'helm',
        managerPointer: '/metadata/managedFields/1/manager',
        ownerships: [
          '/metadata/managedFields/1/fieldsV1/f:spec/f:caBundle',
          '/metadata/managedFields/1/fieldsV1/f:webhooks/k:{"name":"a~1b~0c"}/f:clientConfig/f:caBundle',
        ],
      },
    ]);
  });

  it('are none without managedFields', () => {
    for (const managedFields of [undefined, null, []])
      expect(apiService({}, managedFields).otherManagers).to.deep.equal([]);
  });
});
