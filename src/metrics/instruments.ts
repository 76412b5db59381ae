export interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** Where it differs from the family's: the parts of a histogram. */
  readonly metricName?: string;
}

/** One metric as it stands at this moment, in the shape in which prom-client renders it. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly values: readonly Sample[];
}

/** A counter: one number for each combination of labels that has been seen. */
export interface Counter {
  /** Counts one more. The labels in the order they were declared; each from a small, closed set. */
  add(...labels: readonly string[]): void;
  family(): MetricFamily;
}

/**
 * @param known combinations that are told from the start, since a series that appears with its first count has no
 *   increase to alert on
 */
export const createCounter = (
  name: string,
  help: string,
  labelNames: readonly string[],
  known: readonly (readonly string[])[] = [],
): Counter => {
  const key = (labels: readonly string[]) => (labels.length === 1 ? (labels[0] ?? '') : labels.join('\u0000'));
  const counts = new Map(known.map((labels) => [key(labels), { labels, count: 0 }]));
  return {
    add: (...labels) => {
      const held = counts.get(key(labels));
      if (held === undefined) counts.set(key(labels), { labels, count: 1 });
      else held.count += 1;
    },
    family: () => ({
      name,
      help,
      type: 'counter',
      values: Array.from(counts.values(), ({ labels, count }) => ({
        labels: Object.fromEntries(labelNames.map((label, i) => [label, labels[i] ?? ''])),
        value: count,
      })),
    }),
  };
};

/** A histogram of durations, in seconds as Prometheus wants them. */
export interface Histogram {
  observe(seconds: number): void;
  family(): MetricFamily;
}

/** @param bounds the buckets' upper bounds, seconds, ascending; one without bound is added */
export const createHistogram = (name: string, help: string, bounds: readonly number[]): Histogram => {
  const counts = new Float64Array(bounds.length + 1);
  let sum = 0;
  let count = 0;
  return {
    observe: (seconds) => {
      const at = bounds.findIndex((bound) => seconds <= bound);
      const bucket = at < 0 ? bounds.length : at;
      counts[bucket] = (counts[bucket] ?? 0) + 1;
      sum += seconds;
      count += 1;
    },
    family: () => {
      let cumulated = 0;
      const buckets = [...bounds, '+Inf'].map((le, i) => {
        cumulated += counts[i] ?? 0;
        return { metricName: `${name}_bucket`, labels: { le }, value: cumulated };
      });
      const total = { metricName: `${name}_count`, labels: {}, value: count };
      return {
        name,
        help,
        type: 'histogram',
        values: [...buckets, { metricName: `${name}_sum`, labels: {}, value: sum }, total],
      };
    },
  };
};
