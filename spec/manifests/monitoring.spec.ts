import { expect } from 'chai';
import { gauges } from '../../src/metrics/endpoint.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { processFamilies } from '../../src/metrics/process-usage.ts';
import { USAGE } from '../metrics/usage.ts';
import { monitoring } from './monitoring.ts';
import { only, rendered } from './rendered.ts';
import { replicaOf } from './replica-of.ts';

/** Everything that `/metrics` can ever show. */
const shown = new Set([
  ...gauges({
    version: '0',
    ready: true,
    leader: true,
    mismatch: false,
    servedNotAfterMs: 0,
    mountedNotAfterMs: 0,
    secretNotAfterMs: 0,
    bundles: [{ target: 'a', notAfterMs: 0 }],
    servingHashes: ['a'],
    refused: ['a'],
    neighbour: 'announced',
    rotationStep: 'announce',
  }).map(({ name }) => name),
  ...Object.values(createMetrics()).map((meter) => (meter as { family(): { readonly name: string } }).family().name),
]);
const metricsIn = (text: string): readonly string[] => text.match(/\bwebhook_certd_\w+/g) ?? [];
const base = (name: string): string => name.replace(/_(bucket|sum|count)$/, '');

describe('the component monitoring', () => {
  const { service, serviceMonitor, rules, dashboard } = monitoring;
  const { config, pod } = replicaOf(rendered());

  it('finds every replica at its metrics port, ready or not', () => {
    expect(service.at('spec', 'selector')).to.deep.equal(
      only(rendered(), 'Deployment').at('spec', 'selector', 'matchLabels'),
    );
    expect(service.at('spec', 'publishNotReadyAddresses')).to.equal(true);
    const [{ targetPort, port, name }] = service.at('spec', 'ports') as unknown as readonly [
      { readonly targetPort: string; readonly port: number; readonly name: string },
    ];
    const [container] = pod['containers'] as readonly {
      readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
    }[];
    expect(container?.ports).to.deep.include({
      name: targetPort,
      containerPort: config.metricsBind?.port,
      protocol: 'TCP',
    });
    expect(port).to.equal(config.metricsBind?.port);
    expect(serviceMonitor.at('spec', 'endpoints', 0, 'port')).to.equal(name);
    const labels = serviceMonitor.at('spec', 'selector', 'matchLabels');
    expect(service.at('metadata', 'labels')).to.deep.include(labels);
    // The webhook's own Service has no such port, and must not be taken for this one.
    expect(only(rendered(), 'Service').at('metadata', 'labels')).not.to.deep.include(labels);
  });

  it('is where the replicas are', () => {
    for (const object of monitoring.objects)
      expect(object.at('metadata', 'namespace'), object.kind).to.equal(config.namespace);
  });

  it('asks only for metrics that there are', () => {
    for (const { alert, expr } of rules)
      for (const name of metricsIn(expr)) expect(shown.has(base(name)), `${alert}: ${name}`).to.equal(true);
    for (const name of metricsIn(JSON.stringify(dashboard)))
      expect(shown.has(base(name)), `dashboard: ${name}`).to.equal(true);
  });

  it('shows every metric there is on the dashboard, but the mounted expiry', () => {
    const asked = new Set(metricsIn(JSON.stringify(dashboard)).map(base));
    expect([...shown].filter((name) => !asked.has(name))).to.deep.equal([
      'webhook_certd_mounted_certificate_expiry_timestamp_seconds',
    ]);
  });

  it('explains every panel in a sentence', () => {
    for (const { type, title, description = '' } of dashboard.panels)
      if (type !== 'row') expect(description, title).to.match(/^[A-Z].{20,}\.$/);
  });

  it('asks of the process only for metrics that there are', () => {
    const named = JSON.stringify(dashboard).match(/\b(?:process|nodejs)_\w+/g) ?? [];
    const told = processFamilies(USAGE).map(({ name }) => name);
    expect(named).to.not.be.empty;
    for (const name of named) expect(told).to.include(name);
  });

  it('lays the panels side by side, none over another', () => {
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
    );
    expect(new Set(cells).size).to.equal(cells.length);
    expect(Math.max(...dashboard.panels.map(({ gridPos: { x, w } }) => x + w))).to.equal(24);
  });

  it('says with every alert how bad it is, what it is, and what to look at', () => {
    for (const { alert, labels, annotations } of rules) {
      expect(labels['severity'], alert).to.match(/^(warning|critical)$/);
      expect(annotations, alert).to.have.all.keys('summary', 'description', 'runbook_url');
    }
  });
});
