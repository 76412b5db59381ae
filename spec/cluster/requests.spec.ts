import { mock } from 'node:test';
import { expect } from 'chai';
import { EMPTY, firstValueFrom, NEVER, of, throwError } from 'rxjs';
import { leasePorts } from '../../src/cluster/lease.ts';
import { observationPorts } from '../../src/cluster/observe.ts';
import { clusterPaths } from '../../src/cluster/paths.ts';
import { permissions } from '../../src/cluster/permissions.ts';
import { podPorts } from '../../src/cluster/pods.ts';
import { ApiError } from '../../src/kube/errors.ts';
import type { KubeRequest } from '../../src/kube/request.ts';
import type { WatchPort } from '../../streams/watch-port.ts';
import { parse } from '../config/parse.ts';
import { leaseOf } from '../support/lease-of.ts';
import { recordingClient } from '../support/recording-client.ts';

const HOOK = 'validatingwebhookconfiguration/hook';
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/webhooks/leases';
const SECRETS = '/api/v1/namespaces/webhooks/secrets';
const PODS = '/api/v1/namespaces/webhooks/pods';
const HOOKS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
const MERGE = 'application/merge-patch+json';
const query = { fieldManager: 'webhook-certd' };
const NOW = '2026-11-23T06:00:00.000000Z';

const configured = (env: Readonly<Record<string, string>> = {}) => {
  const parsed = parse({
    CA_BUNDLE_TARGETS: HOOK,
    SECRET_NAME: 'certs',
    LEASE_NAME: 'hook-lease',
    ANNOTATION_PREFIX: 'example.com',
    POD_SELECTOR: 'app=hook',
    ...env,
  });
  if (!parsed.ok) throw new Error(parsed.problems.join());
  return { config: parsed.config, paths: clusterPaths(parsed.config) };
};

describe('the paths of an installation', () => {
  it('name each object of its namespace, and the targets at the scope of the cluster', () => {
    const { paths } = configured();
    const named = (collection: string, name: string) => ({ collection, name, path: `${collection}/${name}` });
    const target = { id: HOOK, type: 'validatingwebhookconfiguration', ...named(HOOKS, 'hook') };
    expect(paths).to.deep.include({
      lease: named(LEASES, 'hook-lease'),
      secret: named(SECRETS, 'certs'),
      ca: named(SECRETS, 'certs-ca'),
      pods: PODS,
      pod: `${PODS}/webhook-0`,
      events: '/api/v1/namespaces/webhooks/events',
      targets: [target],
    });
    expect(paths.target(HOOK)).to.deep.equal(target);
    expect(() => paths.target('apiservice/x')).to.throw('no target is called apiservice/x');
  });

  it('issue for the Service only where the leader writes the Secret', () => {
    const { paths, config } = configured();
    expect(paths.issuesFor).to.equal(config);
    expect(configured({ CERT_ISSUER: 'external' }).paths.issuesFor).to.equal(null);
  });
});

describe('the permissions of an installation', () => {
  const rule = (apiGroup: string, resource: string, verbs: string, names: string[] = [], namespace = 'webhooks') => ({
    apiGroup,
    resource,
    verbs: verbs.split(' '),
    names,
    namespace: namespace === '' ? null : namespace,
  });
  const coordination = 'coordination.k8s.io';
  const common = [
    rule('', 'pods', 'list watch'),
    rule('', 'pods/status', 'patch'),
    rule('', 'events', 'create patch'),
    rule('admissionregistration.k8s.io', 'validatingwebhookconfigurations', 'get list watch patch', ['hook'], ''),
  ];
  const lease = [
    rule(coordination, 'leases', 'get list watch patch', ['hook-lease']),
    rule(coordination, 'leases', 'create'),
  ];
  const of = (env?: Readonly<Record<string, string>>) => {
    const { config, paths } = configured(env);
    return permissions(config, paths);
  };

  it('are by name wherever RBAC can restrict by name', () => {
    const names = ['certs', 'certs-ca'];
    const secrets = [rule('', 'secrets', 'get list watch patch', names), rule('', 'secrets', 'create')];
    expect(of()).to.deep.equal([...lease, ...secrets, ...common]);
  });

  it('do not include writing Secrets, nor reading SECRET-ca, where another program issues', () => {
    const secrets = [rule('', 'secrets', 'get list watch', ['certs'])];
    expect(of({ CERT_ISSUER: 'external' })).to.deep.equal([...lease, ...secrets, ...common]);
  });
});

describe('the Lease on the API server', () => {
  const object = { metadata: { name: 'hook-lease', uid: 'u', resourceVersion: '7' }, spec: { holderIdentity: 'x' } };
  const ports = (answer = () => of(object as unknown)) => {
    const { config, paths } = configured();
    const { client, sent, streamed } = recordingClient(answer);
    return { ...leasePorts(client, paths, config), sent, streamed };
  };
  beforeEach(() => mock.timers.enable({ apis: ['Date'], now: Date.parse(NOW) }));
  afterEach(() => mock.timers.reset());

  it('is read by its name', async () => {
    const { sent, ...lease } = ports();
    expect(await firstValueFrom(lease.getLease())).to.include({ uid: 'u', resourceVersion: '7', holder: 'x' });
    expect(sent).to.deep.equal([{ method: 'GET', path: `${LEASES}/hook-lease` }]);
  });

  it('is null where it does not exist, and only then', async () => {
    const failing = (error: Error) => firstValueFrom(ports(() => throwError(() => error)).getLease());
    expect(await failing(new ApiError('not found', { status: 404 }))).to.equal(null);
    for (const error of [
      new ApiError('forbidden', { status: 403 }),
      Object.assign(new TypeError('a bug'), { status: 404 }),
    ])
      expect(await failing(error).catch((failure: unknown) => failure)).to.equal(error);
  });

  it('is listed and watched alone', async () => {
    const { leaseWatch, sent, streamed } = ports(() => of({ metadata: { resourceVersion: '8' }, items: [object] }));
    const { items } = await firstValueFrom(leaseWatch.list());
    leaseWatch.watch('8').subscribe();
    expect(items.map(({ uid }) => uid)).to.deep.equal(['u']);
    expect(sent[0]).to.deep.include({ path: LEASES, query: { fieldSelector: 'metadata.name=hook-lease' } });
    expect(streamed[0]?.query).to.include({ fieldSelector: 'metadata.name=hook-lease', resourceVersion: '8' });
    expect(Number(streamed[0]?.query?.['timeoutSeconds'])).to.be.within(1_800, 3_600);
  });

  it('is written by a merge patch on the version that was planned on', async () => {
    const { sent, ...lease } = ports();
    expect(
      await firstValueFrom(lease.writeLease({ kind: 'renew' }, leaseOf('a', { resourceVersion: '6' }))),
    ).to.include({
      uid: 'u',
    });
    const [{ body, ...request } = { body: null }] = sent;
    expect(request).to.deep.equal({ method: 'PATCH', path: `${LEASES}/hook-lease`, query, contentType: MERGE });
    expect(body).to.deep.nested.include({
      'metadata.resourceVersion': '6',
      'spec.holderIdentity': 'webhook-0',
      'spec.renewTime': NOW,
    });
  });

  it('is created by the first claim, which is no transition', async () => {
    const { sent, ...lease } = ports();
    await firstValueFrom(lease.writeLease({ kind: 'claim' }, null));
    expect(sent).to.deep.equal([
      {
        method: 'POST',
        path: LEASES,
        query,
        body: {
          apiVersion: 'coordination.k8s.io/v1',
          kind: 'Lease',
          metadata: { name: 'hook-lease' },
          spec: {
            holderIdentity: 'webhook-0',
            leaseDurationSeconds: 60,
            acquireTime: NOW,
            renewTime: NOW,
            leaseTransitions: 0,
          },
        },
      },
    ]);
  });
});

describe('the own Pod on the API server', () => {
  const ports = () => {
    const { config, paths } = configured();
    const { client, sent } = recordingClient(() => EMPTY);
    return { ...podPorts(client, paths, config), sent };
  };
  const annotating = (name: string, value: string | null): KubeRequest => ({
    method: 'PATCH',
    path: `${PODS}/webhook-0/status`,
    query,
    contentType: MERGE,
    body: { metadata: { annotations: { [`example.com/${name}`]: value } } },
  });

  it('is annotated with the served hash through pods/status', () => {
    const { acknowledgeHash, sent } = ports();
    acknowledgeHash('a').subscribe();
    expect(sent).to.deep.equal([annotating('serving-hash', 'a')]);
  });

  it('is annotated with the expected hash, which is removed first when it is the same as before', () => {
    const { expectHash, sent } = ports();
    for (const hash of ['a', 'b', 'b', 'a']) expectHash(hash).subscribe();
    const expected = (value: string | null) => annotating('expected-hash', value);
    expect(sent).to.deep.equal(['a', 'b', null, 'b', 'a'].map(expected));
  });
});

describe('the watches of the leader', () => {
  const ports = (env?: Readonly<Record<string, string>>) => {
    const { config, paths } = configured(env);
    const empty = { metadata: { resourceVersion: '1' }, items: [] };
    const { client, sent, streamed } = recordingClient(() => of(empty));
    return { ...observationPorts(client, paths, config), sent, streamed };
  };
  const used = async (watch: WatchPort<unknown>) => {
    await firstValueFrom(watch.list());
    watch.watch('1').subscribe();
  };

  it('are of each object by its name and of the metadata of the Pods that may be serving, and of nothing else (L4)', async () => {
    const { secretWatch, caWatch, targets, replicaWatch, sent, streamed } = ports();
    for (const watch of [secretWatch, caWatch, ...targets.map((one) => one.watch), replicaWatch]) await used(watch);
    expect(targets.map(({ id }) => id)).to.deep.equal([HOOK]);
    const fieldSelector = 'spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed';
    const lists = [
      { path: SECRETS, query: { fieldSelector: 'metadata.name=certs' } },
      { path: SECRETS, query: { fieldSelector: 'metadata.name=certs-ca' } },
      { path: HOOKS, query: { fieldSelector: 'metadata.name=hook' } },
      { path: PODS, query: { labelSelector: 'app=hook', fieldSelector } },
    ];
    const accept = (kind: string) => `application/json;as=${kind};g=meta.k8s.io;v=v1`;
    expect(sent).to.deep.equal(
      lists.map(({ path, query }) => ({
        method: 'GET',
        path,
        ...(path === PODS
          ? { query: { ...query, limit: '500' }, headers: { accept: accept('PartialObjectMetadataList') } }
          : { query }),
      })),
    );
    expect(streamed.map(({ headers }) => headers)).to.deep.equal([
      undefined,
      undefined,
      undefined,
      { accept: accept('PartialObjectMetadata') },
    ]);
    for (const [at, request] of streamed.entries()) {
      expect(request.path).to.equal(lists[at]?.path);
      expect(request.query).to.include(lists[at]?.query);
      expect(Number(request.query?.['timeoutSeconds'])).to.be.within(1_800, 3_600);
    }
  });

  it('decode what they list', async () => {
    const { config, paths } = configured();
    const { client } = recordingClient(() => of({ metadata: { resourceVersion: '1' }, items: [object] }));
    const object = {
      metadata: { name: 'x', resourceVersion: '3', managedFields: [{ manager: 'helm', fieldsV1: { 'f:data': {} } }] },
      type: 'Opaque',
      data: { other: 'eA==' },
    };
    const { secretWatch, caWatch, targets, replicaWatch } = observationPorts(client, paths, config);
    expect((await firstValueFrom(secretWatch.list())).items)
      .to.have.nested.property('[0].foreign')
      .that.is.a('string');
    expect((await firstValueFrom(caWatch.list())).items).to.have.nested.property('[0].resourceVersion', '3');
    expect((await firstValueFrom(targets[0]!.watch.list())).items).to.deep.equal([
      { resourceVersion: '3', bundles: [], otherManager: null },
    ]);
    expect((await firstValueFrom(replicaWatch.list())).items).to.have.nested.property('[0].name', 'x');
  });

  it('list no CA and end never where the issuer keeps its CA elsewhere', async () => {
    const { caWatch, sent, streamed } = ports({ CERT_ISSUER: 'external' });
    expect(await firstValueFrom(caWatch.list())).to.deep.equal({ items: [], resourceVersion: '0' });
    expect(caWatch.watch('0')).to.equal(NEVER);
    expect([...sent, ...streamed]).to.deep.equal([]);
  });
});
