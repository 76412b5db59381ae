import { expect } from 'chai';
import { type MetricsSnapshot, startMetrics } from '../../src/metrics/endpoint.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { BARE } from './bare-snapshot.ts';

describe('metrics', () => {
  const scrape = async (snapshot: MetricsSnapshot, metrics = createMetrics()) => {
    await using endpoint = await startMetrics({
      bind: { host: '127.0.0.1', port: 0 },
      metrics,
      snapshot: () => snapshot,
    });
    const response = await fetch(`http://127.0.0.1:${endpoint.port}/metrics`, { headers: { connection: 'close' } });
    expect(response.headers.get('content-type')).to.equal('text/plain; version=0.0.4; charset=utf-8');
    const lines = (await response.text()).split('\n');
    return { lines, values: lines.filter((line) => line !== '' && !line.startsWith('#')) };
  };

  it('tells states as gauges and leaves out what is absent', async () => {
    const { values } = await scrape(BARE);
    expect(values).to.include.members([
      'webhook_certd_build_info{version="1.2.3"} 1',
      'webhook_certd_ready 0',
      'webhook_certd_leader 0',
      'webhook_certd_hash_mismatch 1',
    ]);
    expect(values.filter((line) => line.includes('expiry'))).to.deep.equal([]);
  });

  it('tells expiry in seconds, replicas by hash, and the step of the rotation', async () => {
    const { values } = await scrape({
      version: '1.2.3',
      ready: true,
      leader: true,
      mismatch: false,
      servedNotAfterMs: 1_796_555_538_000,
      mountedNotAfterMs: 1_796_555_539_000,
      secretNotAfterMs: 1_796_555_540_000,
      bundles: [{ target: 'apiservice/v1.a"b', notAfterMs: 1_900_000_000_000 }],
      servingHashes: ['abc', 'abc', null],
      refused: ['apiservice/v1.a'],
      neighbour: null,
      rotationStep: 'announce',
    });
    expect(values).to.include.members([
      'webhook_certd_ready 1',
      'webhook_certd_served_certificate_expiry_timestamp_seconds 1796555538',
      'webhook_certd_mounted_certificate_expiry_timestamp_seconds 1796555539',
      'webhook_certd_secret_certificate_expiry_timestamp_seconds 1796555540',
      'webhook_certd_ca_bundle_expiry_timestamp_seconds{target="apiservice/v1.a\\"b"} 1900000000',
      'webhook_certd_replicas{hash="abc"} 2',
      'webhook_certd_replicas{hash=""} 1',
      'webhook_certd_refused_objects{object="apiservice/v1.a"} 1',
      'webhook_certd_rotation_step{step="announce"} 1',
    ]);
  });

  it('tells counts by label, those of known labels from the start', async () => {
    const meters = createMetrics();
    meters.loads.add('served');
    meters.loads.add('served');
    meters.apiRequests.add('get', 'leases', '200');
    meters.apiRequests.add('get', 'leases', '0');
    meters.watchRestarts.add('expired');
    const { values, lines } = await scrape(BARE, meters);
    expect(values).to.include.members([
      'webhook_certd_loads_total{result="served"} 2',
      'webhook_certd_loads_total{result="rejected"} 0',
      'webhook_certd_api_requests_total{verb="get",resource="leases",code="200"} 1',
      'webhook_certd_api_requests_total{verb="get",resource="leases",code="0"} 1',
      'webhook_certd_watch_restarts_total{reason="expired"} 1',
      'webhook_certd_admission_requests_total{outcome="failed"} 0',
    ]);
    expect(lines).to.include('# TYPE webhook_certd_loads_total counter');
    expect(lines.filter((line) => line.includes('connection_troubles'))).to.deep.equal([]);
  });

  it('counts fights from zero for every caBundle there is, so that the first one is an increase', async () => {
    const meters = createMetrics(['apiservice/v1.a', 'apiservice/v1.b']);
    meters.contests.add('apiservice/v1.b');
    const { values } = await scrape(BARE, meters);
    expect(values).to.include.members([
      'webhook_certd_contests_total{object="apiservice/v1.a"} 0',
      'webhook_certd_contests_total{object="apiservice/v1.b"} 1',
      'webhook_certd_ca_bundle_writes_total{target="apiservice/v1.a"} 0',
    ]);
  });

  it('tells durations as cumulated buckets', async () => {
    const meters = createMetrics();
    for (const seconds of [0.1, 0.2, 0.25, 700]) meters.adoption.observe(seconds);
    const { values, lines } = await scrape(BARE, meters);
    expect(values).to.include.members([
      'webhook_certd_adoption_seconds_bucket{le="0.1"} 1',
      'webhook_certd_adoption_seconds_bucket{le="0.25"} 3',
      'webhook_certd_adoption_seconds_bucket{le="600"} 3',
      'webhook_certd_adoption_seconds_bucket{le="+Inf"} 4',
      'webhook_certd_adoption_seconds_sum 700.55',
      'webhook_certd_adoption_seconds_count 4',
      'webhook_certd_admission_duration_seconds_count 0',
    ]);
    expect(lines).to.include('# TYPE webhook_certd_adoption_seconds histogram');
  });

  it('gives every metric a help line', async () => {
    const { lines, values } = await scrape(BARE);
    const named = new Set(values.map((line) => line.replace(/[{ ].*/, '').replace(/_(bucket|sum|count)$/, '')));
    for (const name of named)
      expect(
        lines.some((line) => line.startsWith(`# HELP ${name} `)),
        name,
      ).to.equal(true);
  });
});
