import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { concatMap, firstValueFrom, map, Subject, take, tap, toArray } from 'rxjs';
import { observationPorts } from '../../src/cluster/observe.ts';
import { clusterPaths } from '../../src/cluster/paths.ts';
import { parseConfig } from '../../src/config/config.ts';
import { kubeconfig } from '../../src/dev-cluster/api-server.ts';
import { omit } from '../../src/dev-cluster/kube-object.ts';
import type { StreamLine } from '../../src/kube/body.ts';
import { type KubeClient, openKubeClient } from '../../src/kube/client.ts';
import type { Replica } from '../../streams/model.ts';
import type { WatchPort } from '../../streams/watch-port.ts';
import { only, rendered } from '../manifests/rendered.ts';
import { type Envtest, startEnvtest } from '../support/envtest.ts';
import { accepted, type Json, type RawApi, rawApi } from '../support/raw-api.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const NAMESPACE = 'fleet';
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;
const LABELS = { 'app.kubernetes.io/name': 'webhook-certd', 'pod-template-hash': '7c9f8d6b54' };
const KIB = 1_024;
const FLEET = 1_200;
const AT_ONCE = 50;

/** A Pod as the ReplicaSet of the Deployment in manifests/base makes it; its account and priority are left to the cluster. */
const podOf = (name: string): Json => {
  const template = only(rendered(), 'Deployment').at('spec', 'template') as {
    readonly metadata: Readonly<Record<string, Json>>;
    readonly spec: Readonly<Record<string, Json>>;
  };
  const spec = omit(template.spec, 'serviceAccountName', 'priorityClassName') as Readonly<Record<string, Json>>;
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'webhook-certd-7c9f8d6b54', controller: true };
  return {
    metadata: {
      ...template.metadata,
      name,
      generateName: 'webhook-certd-7c9f8d6b54-',
      labels: LABELS,
      ownerReferences: [{ ...owner, uid: 'b4b0b2f0-1111-4222-8333-444455556666', blockOwnerDeletion: true }],
    },
    spec: { ...spec, automountServiceAccountToken: false },
  };
};

/** What a kubelet says of it. */
const running = (ready: 'True' | 'False'): Json => ({
  status: {
    phase: 'Running',
    hostIP: '10.0.0.4',
    podIP: '10.1.2.3',
    podIPs: [{ ip: '10.1.2.3' }],
    startTime: '2026-11-30T11:00:00Z',
    conditions: ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => ({
      type,
      status: type.endsWith('eady') ? ready : 'True',
      lastTransitionTime: '2026-11-30T11:00:00Z',
    })),
    containerStatuses: [
      {
        name: 'webhook-certd',
        image: 'registry.example/webhook-certd:1',
        imageID: `registry.example/webhook-certd@sha256:${'a'.repeat(64)}`,
        containerID: `containerd://${'b'.repeat(64)}`,
        ready: ready === 'True',
        restartCount: 0,
        state: { running: { startedAt: '2026-11-30T11:00:00Z' } },
      },
    ],
  },
});

interface Change {
  readonly type: string;
  readonly object: { readonly kind: string; readonly metadata: Readonly<Record<string, Json>> };
}

const bytesOf = (value: unknown): number => Buffer.byteLength(`${JSON.stringify(value)}\n`);

describe('the Pods that a leader watches on kube-apiserver', function () {
  this.timeout(120_000);
  const opened = new AsyncDisposableStack();
  const received$ = new Subject<Change>();
  let server: Envtest;
  let admin: RawApi;
  let listed = 0;
  let replicas: WatchPort<Replica>;

  before(async () => {
    server = opened.use(await startEnvtest());
    const { url, caPem, adminToken: token } = server;
    admin = opened.use(rawApi({ url, caPem, token }));
    await accepted(admin.post('/api/v1/namespaces', { metadata: { name: NAMESPACE } }));
    const file = join(opened.use(await temporaryDirectory()).path, 'kubeconfig');
    await writeFile(file, kubeconfig({ url, caPem, token }));
    const client = opened.use(await openKubeClient({ kubeconfig: file, userAgent: 'spec' }));
    const recording: KubeClient = {
      ...client,
      send: (request) => {
        listed += 1;
        return client.send(request);
      },
      stream: (request) =>
        client.stream(request).pipe(
          tap((line: StreamLine) => {
            if (line.type !== 'opened') received$.next(line.value as Change);
          }),
        ),
    };
    const parsed = parseConfig({
      env: { NAME: 'webhook-certd', POD_NAMESPACE: NAMESPACE, POD_NAME: 'webhook-certd-0' },
      flags: new Map(),
      serves: false,
      read: { namespace: () => null, hostname: () => 'desk' },
    });
    if (!parsed.ok) throw new Error(parsed.problems.join());
    replicas = observationPorts(recording, clusterPaths(parsed.config), parsed.config).replicaWatch;
  });
  after(() => opened.disposeAsync());

  const bind = (name: string) =>
    accepted(admin.post(`${PODS}/${name}/binding`, { metadata: { name }, target: { kind: 'Node', name: 'node' } }));
  const patch = (name: string, by: string, body: Json) =>
    accepted(admin.patch('merge', `${PODS}/${name}/status?fieldManager=${by}`, body));
  const list = () => firstValueFrom(replicas.list());

  it('come when they are bound to a node, go when they finish, and bring neither spec nor status', async () => {
    const { resourceVersion } = await list();
    const frames$ = replicas.watch(resourceVersion).pipe(
      concatMap((frame) => (frame.type === 'applied' || frame.type === 'deleted' ? [frame] : [])),
      take(4),
      toArray(),
    );
    const changes = firstValueFrom(received$.pipe(take(4), toArray()));
    const frames = firstValueFrom(frames$);
    await accepted(admin.post(`${PODS}?fieldManager=kube-controller-manager`, podOf('one')));
    await bind('one');
    await patch('one', 'kubelet', running('True'));
    await patch('one', 'webhook-certd', { metadata: { annotations: { 'webhook-certd/serving-hash': 'abc' } } });
    await patch('one', 'kubelet', { status: { phase: 'Succeeded' } });

    expect((await frames).map(({ type, object }) => [type, object.servingHash])).to.deep.equal([
      ['applied', null],
      ['applied', null],
      ['applied', 'abc'],
      ['deleted', 'abc'],
    ]);
    for (const { object } of await changes) {
      expect(object.kind).to.equal('PartialObjectMetadata');
      expect(object).to.have.all.keys('kind', 'apiVersion', 'metadata');
    }
  });

  it('cost at most 1 kB for each change of a status, beside the managedFields that the API does not leave out', async () => {
    const hash = 'a'.repeat(64);
    await accepted(admin.post(`${PODS}?fieldManager=kube-controller-manager`, podOf('two')));
    await bind('two');
    await patch('two', 'kubelet', running('False'));
    const annotations = { 'webhook-certd/serving-hash': hash, 'webhook-certd/expected-hash': hash };
    await patch('two', 'webhook-certd', { metadata: { annotations } });
    const { resourceVersion } = await list();
    const change = firstValueFrom(received$);
    const reading = replicas.watch(resourceVersion).subscribe();
    await patch('two', 'kubelet', running('True'));
    const { type, object } = await change;
    reading.unsubscribe();
    const whole = bytesOf({ type, object: (await admin.get(`${PODS}/two`)).at() });

    const { managedFields, ...own } = object.metadata;
    const [all, without] = [bytesOf({ type, object }), bytesOf({ type, object: { ...object, metadata: own } })];
    console.log(`      a status change: ${all} bytes, ${without} without managedFields; the whole Pod: ${whole} bytes`);
    expect(managedFields).to.be.an('array');
    expect(without).to.be.at.most(KIB);
    expect(all).to.be.at.most(0.65 * whole);
  });

  it(`are listed in pages, ${FLEET} of them in three`, async () => {
    const names = Array.from({ length: FLEET }, (_, number) => `replica-${number}`);
    const create = (name: string) =>
      accepted(
        admin.post(PODS, {
          metadata: { name, labels: LABELS },
          spec: { nodeName: 'node', automountServiceAccountToken: false, containers: [{ name: 'w', image: 'none' }] },
        }),
      );
    for (let from = 0; from < FLEET; from += AT_ONCE) await Promise.all(names.slice(from, from + AT_ONCE).map(create));
    listed = 0;
    const found = await firstValueFrom(replicas.list().pipe(map(({ items }) => items.map(({ name }) => name))));
    expect(found.filter((name) => name.startsWith('replica-')).sort()).to.deep.equal(names.toSorted());
    expect(listed).to.equal(3);
  });
});
