import type { BindAddress } from '../util/listen.ts';
import { type Page, type PlainServer, startPlainServer, textPage } from '../util/plain-server.ts';
import { gauges, type MetricsSnapshot } from './gauges.ts';
import type { MetricFamily } from './instruments.ts';
import type { Metrics } from './metrics.ts';

interface MetricsOptions {
  readonly bind: BindAddress;
  readonly metrics: Metrics;
  readonly snapshot: () => MetricsSnapshot;
}

// prom-client costs 40 ms and 17 MiB: who never scrapes never pays. It only renders; the counting is ours.
const render = async (families: readonly MetricFamily[]): Promise<Page> => {
  const { Registry, Counter } = await import('prom-client');
  const registry = new Registry();
  for (const family of families) {
    // Of a metric, a registry asks its name and what `get` gives; the prototype makes it one in the eyes of the types.
    const metric = Object.assign(Object.create(Counter.prototype) as InstanceType<typeof Counter>, {
      name: family.name,
      get: () => Promise.resolve({ ...family, aggregator: 'sum' }),
    });
    registry.registerMetric(metric);
  }
  return { code: 200, contentType: registry.contentType, body: await registry.metrics() };
};

/**
 * `/metrics` for Prometheus, over plain HTTP.
 *
 * @throws Problem when the address cannot be had
 */
export const startMetrics = ({ bind, metrics, snapshot }: MetricsOptions): Promise<PlainServer> => {
  const page = () => {
    const counted = Object.values(metrics as unknown as Record<string, { family(): MetricFamily }>).map((one) =>
      one.family(),
    );
    return render([...gauges(snapshot()), ...counted.filter(({ values }) => values.length > 0)]);
  };
  return startPlainServer(bind, { '/metrics': page, '/': () => textPage(200, 'metrics are at /metrics\n') });
};
