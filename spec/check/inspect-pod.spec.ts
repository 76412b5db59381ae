import { expect } from 'chai';
import {
  inspectPod,
  inspectWorkload,
  type PodInfo,
  workloadCollections,
  workloadOf,
} from '../../src/check/inspect-pod.ts';

const inspected = inspectPod('example.com', 'certs');

const goneAtMs = (nodeName: string | undefined, phase: string, deletionTimestamp?: string): number | null =>
  inspected({
    metadata: { name: 'webhook-0', deletionTimestamp },
    spec: { nodeName, containers: [] },
    status: { phase },
  }).goneAtMs;

describe('a Pod that check reads counts as the leader counts it (D-012)', () => {
  it('while it is on a node, ready or not', () => {
    for (const phase of ['Pending', 'Running', 'Unknown']) expect(goneAtMs('node', phase), phase).to.equal(null);
  });

  it('until it is gone when it is being deleted', () => {
    const deletionTimestamp = '2026-11-23T06:00:00Z';
    expect(goneAtMs('node', 'Running', deletionTimestamp)).to.equal(Date.parse(deletionTimestamp));
  });

  it('not before it is scheduled, and not after it has finished', () => {
    expect(goneAtMs(undefined, 'Pending')).to.equal(0);
    expect(goneAtMs('', 'Pending')).to.equal(0);
    for (const phase of ['Succeeded', 'Failed']) expect(goneAtMs('node', phase), phase).to.equal(0);
  });
});

interface Given {
  readonly metadata?: object;
  readonly spec?: object;
  readonly status?: object | null;
}

const read = ({ metadata, spec, status }: Given = {}): PodInfo =>
  inspected({
    metadata: { name: 'webhook-0', ...metadata },
    spec: { nodeName: 'node', containers: [], ...spec },
    status,
  });

describe('a Pod that check reads', () => {
  it('is nothing but a Pod', () => {
    for (const object of [
      {},
      { metadata: { name: 'webhook-0' } },
      { metadata: { name: 'webhook-0' }, spec: {} },
      { metadata: {}, spec: { containers: [] } },
    ])
      expect(() => inspected(object), JSON.stringify(object)).to.throw();
  });

  it('has nothing that its object leaves out', () => {
    expect(read()).to.deep.equal({
      name: 'webhook-0',
      servingHash: null,
      goneAtMs: null,
      ready: null,
      labels: {},
      nodeName: 'node',
      serviceAccount: null,
      workload: null,
      containers: [],
      volume: null,
      mounts: [],
      mountedSecrets: [],
      problem: null,
      hasExited: false,
    });
    expect(read({ spec: { nodeName: undefined } }).nodeName).to.equal(null);
    expect(read({ status: { phase: 'Running' } }).hasExited).to.equal(false);
  });

  it('is what its object says it is', () => {
    const metadata = { labels: { app: 'orders' }, annotations: { 'example.com/serving-hash': 'abc' } };
    const pod = read({ metadata, spec: { serviceAccountName: 'orders' } });
    expect(pod).to.include({ servingHash: 'abc', nodeName: 'node', serviceAccount: 'orders' });
    expect(pod.labels).to.deep.equal({ app: 'orders' });
    expect(read({ spec: { serviceAccountName: '' } }).serviceAccount).to.equal(null);
  });

  it('is ready by its condition Ready alone', () => {
    const scheduled = { type: 'PodScheduled', status: 'True' };
    for (const [conditions, ready] of [
      [[scheduled, { type: 'Ready', status: 'True' }], true],
      [[scheduled, { type: 'Ready', status: 'False' }], false],
      [[scheduled, { type: 'Ready', status: 'Unknown' }], false],
      [[scheduled], null],
      [null, null],
    ] as const)
      expect(read({ status: { conditions } }).ready, JSON.stringify(conditions)).to.equal(ready);
  });
});

describe('the containers of a Pod that check reads', () => {
  const volumes = [
    { name: 'cache', emptyDir: {} },
    { name: 'config', projected: {} },
    { name: 'certs', secret: { secretName: 'certs' } },
    { name: 'both', projected: { sources: [{ configMap: {} }, { secret: { name: 'a' } }, { secret: { name: 'b' } }] } },
  ];

  it('have the variables with a literal value, and their ports', () => {
    const containers = [
      {
        name: 'webhook',
        env: [
          { name: 'CERT_DIR', value: '/certs' },
          { name: 'EMPTY', value: '' },
          { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        ],
        ports: [{ containerPort: 9443, name: 'webhook' }, { containerPort: 8080 }],
      },
      { name: 'sidecar' },
    ];
    expect(read({ spec: { containers } }).containers).to.deep.equal([
      {
        name: 'webhook',
        isSidecar: false,
        env: new Map([
          ['CERT_DIR', '/certs'],
          ['EMPTY', ''],
        ]),
        ports: [9443, 8080],
        namedPorts: new Map([['webhook', 9443]]),
      },
      { name: 'sidecar', isSidecar: false, env: new Map(), ports: [], namedPorts: new Map() },
    ]);
  });

  it('are those that run as long as the Pod does: native sidecars, but no other init containers', () => {
    const env = [{ name: 'SERVING_ADDRESS', value: '127.0.0.1:9443' }];
    const volumeMounts = [{ name: 'certs', mountPath: '/certs' }];
    const initContainers = [
      { name: 'migration', volumeMounts, env },
      { name: 'certd', restartPolicy: 'Always', volumeMounts, env },
    ];
    const pod = read({ spec: { containers: [{ name: 'manager' }], initContainers, volumes } });
    expect(pod.containers.map(({ name, isSidecar }) => [name, isSidecar])).to.deep.equal([
      ['manager', false],
      ['certd', true],
    ]);
    expect(pod.containers[1]?.env.get('SERVING_ADDRESS')).to.equal('127.0.0.1:9443');
    expect(pod.mounts).to.deep.equal([{ container: 'certd', path: '/certs', subPath: null }]);
    expect(pod.mountedSecrets).to.deep.equal([{ secretName: 'certs', path: '/certs' }]);
  });

  it('mount the Secret where their mounts of its volume are', () => {
    const containers = [
      {
        name: 'webhook',
        volumeMounts: [
          { name: 'cache', mountPath: '/cache' },
          { name: 'certs', mountPath: '/run/certs/' },
          { name: 'certs', mountPath: '/tls.crt', subPath: 'tls.crt' },
          { name: 'certs', mountPath: '/own', subPath: '', subPathExpr: '$(POD_NAME)' },
          { name: 'certs', mountPath: '/' },
        ],
      },
      { name: 'sidecar' },
    ];
    const pod = read({ spec: { volumes, containers } });
    expect(pod.volume).to.equal('certs');
    expect(pod.mounts).to.deep.equal([
      { container: 'webhook', path: '/run/certs', subPath: null },
      { container: 'webhook', path: '/tls.crt', subPath: 'tls.crt' },
      { container: 'webhook', path: '/own', subPath: '$(POD_NAME)' },
      { container: 'webhook', path: '/', subPath: null },
    ]);
  });

  it('mount no Secret where the volume with it is not mounted, or is not there', () => {
    const containers = [{ name: 'webhook', volumeMounts: [{ name: 'cache', mountPath: '/cache' }] }];
    expect(read({ spec: { volumes, containers } })).to.deep.include({ volume: 'certs', mounts: [] });
    const others = volumes.filter(({ name }) => name !== 'certs');
    expect(read({ spec: { volumes: others, containers } })).to.deep.include({ volume: null, mounts: [] });
    expect(read({ spec: { containers } })).to.deep.include({ volume: null, mounts: [], mountedSecrets: [] });
  });

  it('mount a Secret that a projected volume contains beside others', () => {
    const sources = [{ configMap: {} }, { secret: { name: 'ca' } }, { secret: { name: 'certs' } }];
    const given = [{ name: 'all', projected: { sources } }];
    const containers = [{ name: 'webhook', volumeMounts: [{ name: 'all', mountPath: '/all' }] }];
    const pod = read({ spec: { volumes: given, containers } });
    expect(pod.volume).to.equal('all');
    expect(pod.mounts).to.deep.equal([{ container: 'webhook', path: '/all', subPath: null }]);
  });

  it('have every Secret listed that they mount', () => {
    const mountOf = (name: string) => ({ name, mountPath: `/${name}//` });
    const containers = [
      { name: 'sidecar' },
      { name: 'webhook', volumeMounts: ['cache', 'config', 'certs', 'both', 'gone'].map(mountOf) },
    ];
    expect(read({ spec: { volumes, containers } }).mountedSecrets).to.deep.equal([
      { secretName: 'certs', path: '/certs' },
      { secretName: 'a', path: '/both' },
      { secretName: 'b', path: '/both' },
    ]);
  });
});

describe('the problem of a Pod that check reads', () => {
  const running = { state: { running: {} } };
  const ended = { lastState: { terminated: { exitCode: 1 } } };
  const waiting = (reason?: string) => ({ state: { waiting: { reason } } });
  const CRASHED = 'CrashLoopBackOff';

  for (const [what, containerStatuses, problem, hasExited] of [
    ['is none where no kubelet reports a container', null, null, false],
    ['is none where a container has no state', [{}], null, false],
    ['is none where every container runs', [running, { ...running, lastState: {} }], null, false],
    ['is none where a container that has ended runs again', [running, { ...running, ...ended }], null, true],
    ['is none where the kubelet gives no reason', [waiting()], null, false],
    ['is the reason of the one that waits', [running, waiting('ImagePullBackOff')], 'ImagePullBackOff', false],
    [
      'has the exit code of what has ended',
      [{ ...waiting(CRASHED), ...ended }],
      `${CRASHED}, its last exit code was 1`,
      true,
    ],
    ['has no exit code that is not known', [{ ...waiting(CRASHED), lastState: { terminated: {} } }], CRASHED, true],
    ['has no exit code of a container that never ended', [{ ...waiting(CRASHED), lastState: {} }], CRASHED, false],
  ] as const)
    it(what, () => {
      expect(read({ status: { containerStatuses } })).to.include({ problem, hasExited });
    });

  it('is that of an init container for which the others wait', () => {
    const status = {
      initContainerStatuses: [{ state: { terminated: {} } }, { ...waiting(CRASHED), ...ended }],
      containerStatuses: [waiting('PodInitializing')],
    };
    expect(read({ status })).to.include({ problem: `${CRASHED}, its last exit code was 1`, hasExited: true });
  });
});

describe('the workload of a Pod', () => {
  const owner = (kind: string, name: string, controller?: boolean) => ({ kind, name, controller });
  const hashed = { 'pod-template-hash': 'abc' };

  for (const [what, labels, ownerReferences, workload] of [
    ['is none without an owner', hashed, [], null],
    ['is none where the object says nothing of owners', hashed, null, null],
    ['is the Deployment of its ReplicaSet', hashed, [owner('ReplicaSet', 'web-abc-abc', true)], 'deployment/web-abc'],
    ['is the ReplicaSet where the Pod has no hash', {}, [owner('ReplicaSet', 'web-abc', true)], 'replicaset/web-abc'],
    ['is the ReplicaSet where the Pod has no labels', null, [owner('ReplicaSet', 'web', true)], 'replicaset/web'],
    ['is its owner in lower case', hashed, [owner('StatefulSet', 'web-abc', true)], 'statefulset/web-abc'],
    ['is the owner that controls it', {}, [owner('A', 'a', false), owner('B', 'b', true)], 'b/b'],
    ['is the first owner where none controls it', {}, [owner('A', 'a'), owner('B', 'b', false)], 'a/a'],
  ] as const)
    it(what, () => {
      const found = workloadOf({ labels, ownerReferences: ownerReferences?.slice() });
      expect(found === null ? null : `${found.kind}/${found.name}`).to.equal(workload);
    });

  it('is what the Pod itself says', () => {
    const ownerReferences = [owner('ReplicaSet', 'web-abc', true)];
    expect(read({ metadata: { labels: hashed, ownerReferences } }).workload).to.deep.equal({
      kind: 'deployment',
      name: 'web',
    });
  });
});

describe('a workload that check reads', () => {
  const inspectedWorkload = inspectWorkload('deployment', 'certs');
  const workload = (volumes: readonly object[] | null, rest: object = {}, metadata: object | null = null) => ({
    metadata: { name: 'web' },
    spec: { template: { metadata, spec: { volumes } }, ...rest },
  });

  it('is ours where its Pods mount the Secret', () => {
    const mounting = [{ name: 'cache' }, { name: 'certs', secret: { secretName: 'certs' } }];
    expect(inspectedWorkload(workload(mounting, { replicas: 2 }, { labels: { app: 'web' } }))).to.deep.equal({
      kind: 'deployment',
      name: 'web',
      replicas: 2,
      labels: { app: 'web' },
      isOurs: true,
    });
  });

  it('is not ours where they mount another Secret, or none', () => {
    const nothing = { kind: 'deployment', name: 'web', replicas: null, labels: {}, isOurs: false };
    for (const volumes of [null, [], [{ name: 'certs', secret: { secretName: 'other' } }], [{ name: 'certs' }]])
      expect(inspectedWorkload(workload(volumes)), JSON.stringify(volumes)).to.deep.equal(nothing);
    expect(inspectedWorkload(workload(null, {}, {}))).to.deep.equal(nothing);
  });

  it('is nothing but a workload', () => {
    for (const object of [
      {},
      { metadata: {}, spec: { template: { spec: {} } } },
      { metadata: { name: 'web' }, spec: {} },
      { metadata: { name: 'web' }, spec: { template: {} } },
    ])
      expect(() => inspectedWorkload(object), JSON.stringify(object)).to.throw();
  });

  it('is in a collection of its kind', () => {
    expect(workloadCollections('a b')).to.deep.equal([
      ['deployment', '/apis/apps/v1/namespaces/a%20b/deployments'],
      ['statefulset', '/apis/apps/v1/namespaces/a%20b/statefulsets'],
      ['daemonset', '/apis/apps/v1/namespaces/a%20b/daemonsets'],
    ]);
  });
});
