import { expect } from 'chai';
import { gauges, type MetricsSnapshot, snapshotOf, startMetrics } from '../../src/metrics/endpoint.ts';
import type { Counter, Histogram } from '../../src/metrics/instruments.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { initialState, type ReplicaState } from '../../src/status/replica-state.ts';
import type { ClusterState } from '../../streams/observe-cluster.ts';
import { clusterOf } from '../support/cluster-of.ts';
import { factsOf } from '../support/facts-of.ts';
import { leaseOf } from '../support/lease-of.ts';
import { pairOf } from '../support/pair-of.ts';
import { BARE } from './bare-snapshot.ts';

const FULL: MetricsSnapshot = {
  version: 'v',
  ready: true,
  leader: true,
  mismatch: false,
  servedNotAfterMs: 1_500,
  mountedNotAfterMs: 2_500,
  secretNotAfterMs: 3_500,
  bundles: [{ target: 't', notAfterMs: 4_500 }],
  servingHashes: ['a', null, 'a'],
  refused: ['t'],
  rotationStep: 'announce',
  neighbour: 'announced',
};
const valuesOf = (snapshot: MetricsSnapshot) =>
  Object.fromEntries(
    gauges(snapshot).map(({ name, values }) => [
      name.replace('webhook_certd_', ''),
      values.map(({ labels, value }) => [...Object.entries(labels).flat(), value]),
    ]),
  );

describe('the families of metrics', () => {
  it('are gauges with one sample for each value of the state', () => {
    expect(valuesOf(FULL)).to.deep.equal({
      build_info: [['version', 'v', 1]],
      ready: [[1]],
      leader: [[1]],
      hash_mismatch: [[0]],
      served_certificate_expiry_timestamp_seconds: [[1.5]],
      mounted_certificate_expiry_timestamp_seconds: [[2.5]],
      secret_certificate_expiry_timestamp_seconds: [[3.5]],
      ca_bundle_expiry_timestamp_seconds: [['target', 't', 4.5]],
      replicas: [
        ['hash', 'a', 2],
        ['hash', '', 1],
      ],
      refused_objects: [['object', 't', 1]],
      rotation_step: [['step', 'announce', 1]],
      neighbour: [
        ['shows', 'announced', 1],
        ['shows', 'served-elsewhere', 0],
        ['shows', 'neighbour-unreachable', 0],
        ['shows', 'neighbour-shows-no-certificate', 0],
        ['shows', 'unknown', 0],
      ],
    });
    for (const { type } of gauges(FULL)) expect(type).to.equal('gauge');
  });

  it('count the replicas without annotation together', () => {
    expect(valuesOf({ ...BARE, servingHashes: [null, 'a', null] })).to.have.deep.property('replicas', [
      ['hash', '', 2],
      ['hash', 'a', 1],
    ]);
  });

  it('leave out a gauge without a value', () => {
    expect(valuesOf(BARE)).to.deep.equal({
      build_info: [['version', '1.2.3', 1]],
      ready: [[0]],
      leader: [[0]],
      hash_mismatch: [[1]],
    });
  });

  it('are counters and histograms with their labels, known values of which start at zero', () => {
    const objects = ['t', 'secret', 'ca', 'announcement'];
    const outcomes = ['allowed', 'denied', 'forwarded', 'refused', 'failed', 'aborted'];
    const counters = [
      ['loads_total', { result: ['served', 'rejected'] }],
      ['watch_restarts_total', {}],
      ['api_requests_total', {}],
      ['ca_bundle_writes_total', { target: ['t'] }],
      ['contests_total', { object: objects }],
      ['refused_writes_total', { object: objects }],
      ['admission_requests_total', { outcome: outcomes }],
      ['connection_errors_total', {}],
    ] as const;
    const families = Object.values<Counter | Histogram>({ ...createMetrics(['t']) }).map((each) => each.family());
    const counted = families.filter(({ type }) => type === 'counter');
    expect(counted.map(({ name, values }) => [name, values])).to.deep.equal(
      counters.map(([name, labels]) => [
        `webhook_certd_${name}`,
        Object.entries<readonly string[]>(labels).flatMap(([label, values]) =>
          values.map((value) => ({ labels: { [label]: value }, value: 0 })),
        ),
      ]),
    );
    expect(families.filter(({ type }) => type === 'histogram').map(({ name }) => name)).to.deep.equal(
      ['admission_duration', 'kubelet_sync', 'adoption'].map((name) => `webhook_certd_${name}_seconds`),
    );
  });

  it('have no targets where none is configured', () => {
    const { caBundleWrites, contests } = createMetrics();
    expect(caBundleWrites.family().values).to.deep.equal([]);
    expect(contests.family().values.map(({ labels }) => labels['object'])).to.deep.equal([
      'secret',
      'ca',
      'announcement',
    ]);
  });

  it('count by all of their labels', () => {
    const { apiRequests, connectionErrors } = createMetrics();
    for (const labels of [
      ['get', 'leases', '200'],
      ['get', 'leases', '200'],
      ['get', 'lease', 's200'],
    ] as const)
      apiRequests.add(...labels);
    expect(apiRequests.family().values).to.deep.equal([
      { labels: { verb: 'get', resource: 'leases', code: '200' }, value: 2 },
      { labels: { verb: 'get', resource: 'lease', code: 's200' }, value: 1 },
    ]);
    connectionErrors.add('timeout');
    expect(connectionErrors.family().values).to.deep.equal([{ labels: { kind: 'timeout' }, value: 1 }]);
  });

  it('measure an admission in buckets up to the 30 s that an API server waits, and a rotation up to ten minutes', () => {
    const { admissionDuration, kubeletSync } = createMetrics();
    const bounds = (histogram: Histogram) =>
      histogram.family().values.flatMap(({ labels }) => (typeof labels['le'] === 'number' ? [labels['le']] : []));
    for (const [histogram, last] of [
      [admissionDuration, 30],
      [kubeletSync, 600],
    ] as const) {
      expect(bounds(histogram)).to.deep.equal(bounds(histogram).toSorted((left, right) => left - right));
      expect(bounds(histogram)).to.have.length.above(12);
      expect(bounds(histogram).at(-1)).to.equal(last);
    }
  });

  it('explain each metric in a sentence', () => {
    const families = [
      ...gauges(FULL),
      ...Object.values<Counter | Histogram>({ ...createMetrics() }).map((each) => each.family()),
    ];
    for (const { name, help } of families) expect(help, name).to.match(/^[\w ].{15,}\.$/);
  });
});

describe('the metrics of a state', () => {
  const cluster: ClusterState = {
    lease: leaseOf('a'),
    secret: 'absent',
    ca: 'absent',
    targets: [],
    replicas: 'pending',
  };
  const snapshot = (
    state: Partial<ReplicaState> = {},
    { reasons = [] as readonly string[], mountedLeaf = null as ReturnType<typeof factsOf> | null, step = 'x' } = {},
  ) => snapshotOf({ ...initialState(0), ...state }, { reasons, mountedLeaf, step, neighbourAddress: null }, 'v');

  it('say whether it is ready and leads, and what is next', () => {
    expect(snapshot()).to.include({ version: 'v', ready: true, leader: false, rotationStep: 'x' });
    expect(snapshot({ leading: true }, { reasons: ['draining'] })).to.include({ ready: false, leader: true });
  });

  it('have the expiry of the served, the mounted and the stored certificate, or none', () => {
    const secret = clusterOf.observed({ secret: 'a1:A' }).secret;
    if (typeof secret === 'string') return expect.fail(secret);
    const state = {
      readiness: { ready: true, reasons: [], served: pairOf('a') },
      observation: { ...cluster, secret: { ...secret, leaf: factsOf('x', { notAfterMs: 7 }) } },
    };
    const expiries = { servedNotAfterMs: 3_600_000, mountedNotAfterMs: 5, secretNotAfterMs: 7 };
    expect(snapshot(state, { mountedLeaf: factsOf('m', { notAfterMs: 5 }) })).to.include(expiries);
    const none = { servedNotAfterMs: null, mountedNotAfterMs: null, secretNotAfterMs: null };
    for (const observed of ['absent', 'pending', 'forbidden', { ...secret, leaf: null }] as const)
      expect(snapshot({ observation: { ...cluster, secret: observed } })).to.include(none);
    expect(snapshot()).to.include(none);
  });

  it('have a caBundle only of an observed target that holds a certificate', () => {
    const target = (id: string, ...bundles: ReturnType<typeof factsOf>[][]) => ({
      id,
      state: { resourceVersion: '1', bundles, otherManager: null },
    });
    const targets = [
      target('empty', []),
      target('full', [], [factsOf('x', { notAfterMs: 3 })]),
      { id: 'absent', state: 'absent' as const },
    ];
    expect(snapshot({ observation: { ...cluster, targets } }).bundles).to.deep.equal([
      { target: 'full', notAfterMs: 3 },
    ]);
    expect(snapshot().bundles).to.equal(null);
  });

  it('have the hashes of the observed replicas', () => {
    const replicas = ['a', null].map((servingHash) => ({ name: 'x', servingHash, goneAtMs: null }));
    expect(snapshot({ observation: { ...cluster, replicas } }).servingHashes).to.deep.equal(['a', null]);
    for (const unknown of ['pending', 'forbidden'] as const)
      expect(snapshot({ observation: { ...cluster, replicas: unknown } }).servingHashes).to.equal(null);
    expect(snapshot().servingHashes).to.equal(null);
  });
});

describe('the port of the metrics', () => {
  it('serves them below /metrics without empty families, and says so at /', async () => {
    const bind = { host: '127.0.0.1', port: 0 };
    await using endpoint = await startMetrics({ bind, metrics: createMetrics(), snapshot: () => BARE });
    const get = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${endpoint.port}${path}`, { headers: { connection: 'close' } });
      return { status: response.status, text: await response.text() };
    };
    expect(await get('/')).to.deep.equal({ status: 200, text: 'metrics are at /metrics\n' });
    const { text } = await get('/metrics');
    expect(text).to.include('# TYPE webhook_certd_ready gauge\n').and.to.include('webhook_certd_contests_total');
    for (const absent of ['watch_restarts', 'api_requests', 'served_certificate_expiry', 'rotation_step'])
      expect(text, absent).not.to.include(absent);
  });
});
