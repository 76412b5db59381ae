import type { BindAddress } from '../util/listen.ts';
import { type Page, type PlainServer, startPlainServer, textPage } from '../util/plain-server.ts';
import { gauges, type MetricsSnapshot } from './gauges.ts';
import type { Counter, Histogram, MetricFamily } from './instruments.ts';
import type { Metrics } from './metrics.ts';

interface MetricsOptions {
  readonly bind: BindAddress;
  readonly metrics: Metrics;
  readonly snapshot: () => MetricsSnapshot;
}

// prom-client takes 40 ms and 17 MiB, so it is imported on the first scrape. It only renders; this program counts.
const render = async (families: readonly MetricFamily[]): Promise<Page> => {
  const { Registry, Counter } = await import('prom-client');
  const registry = new Registry();
  for (const family of families) {
    // A registry uses only the name and `get` of a metric; the prototype satisfies the types.
    const metric = Object.assign(Object.create(Counter.prototype) as InstanceType<typeof Counter>, {
      name: family.name,
      get: () => Promise.resolve({ ...family, aggregator: 'sum' }),
    });
    registry.registerMetric(metric);
  }
  return { code: 200, contentType: registry.contentType, body: await registry.metrics() };
};

/**
 * Serves `/metrics` for Prometheus over plain HTTP.
 *
 * @throws Problem when the address cannot be bound
 */
export const startMetrics = ({ bind, metrics, snapshot }: MetricsOptions): Promise<PlainServer> => {
  const page = () => {
    const counted = Object.values<Counter | Histogram>({ ...metrics }).map((each) => each.family());
    return render([...gauges(snapshot()), ...counted.filter(({ values }) => values.length > 0)]);
  };
  return startPlainServer(bind, { '/metrics': page, '/': () => textPage(200, 'metrics are at /metrics\n') });
};
