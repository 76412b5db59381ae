import { expect } from 'chai';
import type { Rule } from '../../src/dev-cluster/users.ts';
import { type RawApi, rawApi } from '../support/raw-api.ts';
import { bodies } from './bodies.ts';
import { useApi } from './use-api.ts';

const coordination = 'coordination.k8s.io';
const admission = 'admissionregistration.k8s.io';

describe('api: access', () => {
  const api = useApi();
  const configurations = `/apis/${admission}/v1/validatingwebhookconfigurations`;
  const who = () => `system:serviceaccount:default:${api.namespace}`;
  let caller: RawApi;

  before(async () => {
    const { namespace } = api;
    const rules: readonly Rule[] = [
      {
        apiGroups: [coordination],
        resources: ['leases'],
        resourceNames: ['mine'],
        verbs: ['get', 'list', 'watch', 'update', 'create'],
        namespace,
      },
      { apiGroups: [''], resources: ['secrets'], verbs: ['create'], namespace },
      { apiGroups: [''], resources: ['pods/status'], verbs: ['patch'], namespace },
      {
        apiGroups: [admission],
        resources: ['validatingwebhookconfigurations'],
        resourceNames: [`${namespace}-mine`],
        verbs: ['get', 'patch'],
      },
    ];
    const { url, caPem } = api.server;
    caller = rawApi({ url, caPem, token: await api.server.tokenWithRules(namespace, rules) });
    await api.admin.post(api.leases, bodies.lease('mine'));
    await api.admin.post(api.leases, bodies.lease('other'));
    await api.admin.post(api.pods, bodies.pod('pod'));
    await api.admin.post(configurations, bodies.webhooks('Validating', `${namespace}-mine`, ['a.b.test']));
  });

  after(async () => {
    caller[Symbol.dispose]();
    await api.admin.delete(`${configurations}/${api.namespace}-mine`);
  });

  it('knows nobody by a token it has not given', async () => {
    using stranger = rawApi({ url: api.server.url, caPem: api.server.caPem, token: 'guessed' });
    const answer = await stranger.get(`${api.leases}/mine`);
    expect(answer.status).to.equal(401);
    expect(answer.at()).to.deep.equal({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'Unauthorized',
      reason: 'Unauthorized',
      code: 401,
    });
  });

  it('takes a caller without a token for system:anonymous', async () => {
    using nobody = rawApi({ url: api.server.url, caPem: api.server.caPem });
    const answer = await nobody.get(`${api.leases}/mine`);
    expect(answer.status).to.equal(403);
    expect(answer.at('message')).to.match(/User "system:anonymous" cannot get resource "leases"/);
    expect((await nobody.get('/healthz')).text).to.equal('ok');
  });

  it('allows by name, for lists and watches through metadata.name', async () => {
    expect((await caller.get(`${api.leases}/mine`)).status).to.equal(200);
    expect((await caller.get(`${api.leases}?fieldSelector=metadata.name%3Dmine`)).status).to.equal(200);
    using watch = await caller.watch(`${api.leases}?fieldSelector=metadata.name%3Dmine`);
    expect(watch.status).to.equal(200);
    expect((await watch.next()).type).to.equal('ADDED');
  });

  for (const [law, ask, words, name] of [
    [
      'another name',
      () => caller.get(`${api.leases}/other`),
      'cannot get resource "leases" in API group "coordination.k8s.io"',
      'other',
    ],
    [
      'a list without a name',
      () => caller.get(api.leases),
      'cannot list resource "leases" in API group "coordination.k8s.io"',
      null,
    ],
    [
      'a list of another name',
      () => caller.get(`${api.leases}?fieldSelector=metadata.name%3Dother`),
      'cannot list resource "leases" in API group "coordination.k8s.io"',
      'other',
    ],
    [
      'a watch without a name',
      () => caller.get(`${api.leases}?watch=true`),
      'cannot watch resource "leases" in API group "coordination.k8s.io"',
      null,
    ],
    [
      'a verb it does not have',
      () => caller.patch('merge', `${api.leases}/mine`, {}),
      'cannot patch resource "leases" in API group "coordination.k8s.io"',
      'mine',
    ],
    [
      'create by name, since the server does not know the name yet',
      () => caller.post(api.leases, bodies.lease('mine')),
      'cannot create resource "leases" in API group "coordination.k8s.io"',
      null,
    ],
  ] as const) {
    it(`forbids ${law}`, async () => {
      const answer = await ask();
      expect(answer.status).to.equal(403);
      const subject = `leases.${coordination}${name === null ? '' : ` "${name}"`}`;
      expect(answer.at()).to.deep.equal({
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message: `${subject} is forbidden: User "${who()}" ${words} in the namespace "${api.namespace}"`,
        reason: 'Forbidden',
        details: { ...(name === null ? {} : { name }), group: coordination, kind: 'leases' },
        code: 403,
      });
    });
  }

  it('tells the core group by an empty name, and the cluster scope', async () => {
    const secret = await caller.get(`${api.secrets}/s`);
    expect(secret.at('message')).to.equal(
      `secrets "s" is forbidden: User "${who()}" cannot get resource "secrets" in API group "" in the namespace "${api.namespace}"`,
    );
    const configuration = await caller.get(`${configurations}/other`);
    expect(configuration.at('message')).to.equal(
      `validatingwebhookconfigurations.${admission} "other" is forbidden: User "${who()}" cannot get resource ` +
        `"validatingwebhookconfigurations" in API group "${admission}" at the cluster scope`,
    );
  });

  it('allows cluster-scoped objects by name', async () => {
    expect((await caller.get(`${configurations}/${api.namespace}-mine`)).status).to.equal(200);
  });

  it('allows create where no name is asked for', async () => {
    expect((await caller.post(api.secrets, bodies.secret('made', {}))).status).to.equal(201);
  });

  it('tells a subresource from its resource', async () => {
    const annotations = { metadata: { annotations: { a: 'b' } } };
    expect((await caller.patch('merge', `${api.pods}/pod/status`, annotations)).status).to.equal(200);
    const answer = await caller.patch('merge', `${api.pods}/pod`, annotations);
    expect(answer.status).to.equal(403);
    expect(answer.at('message')).to.match(/^pods "pod" is forbidden: .* cannot patch resource "pods" in API group ""/);
  });

  it('answers what the caller may do', async () => {
    const may = async (resourceAttributes: Record<string, string>) => {
      const review = { spec: { resourceAttributes: { namespace: api.namespace, ...resourceAttributes } } };
      const answer = await caller.post('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', review);
      expect(answer.status).to.equal(201);
      return answer.at('status', 'allowed');
    };
    const lease = { group: coordination, resource: 'leases' };
    expect(await may({ ...lease, verb: 'get', name: 'mine' })).to.equal(true);
    expect(await may({ ...lease, verb: 'get', name: 'other' })).to.equal(false);
    expect(await may({ ...lease, verb: 'get' })).to.equal(false);
    expect(await may({ group: '', resource: 'pods', subresource: 'status', verb: 'patch', name: 'pod' })).to.equal(
      true,
    );
    expect(await may({ group: '', resource: 'pods', verb: 'patch', name: 'pod' })).to.equal(false);
  });
});
