import type { Page } from '../util/plain-server.ts';

/** One value of a metric. */
export interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** Set where it differs from the name of the family: the parts of a histogram. */
  readonly metricName?: string;
}

/** One metric with its current values. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly values: readonly Sample[];
}

/** A counter with one number for each combination of labels. */
export interface Counter {
  /** Adds one. Labels are given in the declared order; each has a small, closed set of values. */
  add(...labels: readonly string[]): void;
  family(): MetricFamily;
}

/**
 * Creates a counter.
 *
 * @param initial combinations of labels that start at 0, since a series that appears with its first count has no increase
 *   to alert on
 */
export const createCounter = (
  name: string,
  help: string,
  labelNames: readonly string[],
  initial: readonly (readonly string[])[] = [],
): Counter => {
  const key = (labels: readonly string[]) => (labels.length === 1 ? (labels[0] ?? '') : labels.join('\u0000'));
  const counts = new Map(initial.map((labels) => [key(labels), { labels, count: 0 }]));
  return {
    add: (...labels) => {
      const counted = counts.get(key(labels));
      if (counted === undefined) counts.set(key(labels), { labels, count: 1 });
      else counted.count += 1;
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

/** A histogram of durations in seconds. */
export interface Histogram {
  observe(seconds: number): void;
  family(): MetricFamily;
}

/**
 * Creates a histogram.
 *
 * @param bounds ascending upper bounds of the buckets in seconds; `+Inf` is added
 */
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
      let cumulative = 0;
      const buckets = [...bounds, '+Inf'].map((le, i) => {
        cumulative += counts[i] ?? 0;
        return { metricName: `${name}_bucket`, labels: { le }, value: cumulative };
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

/** https://prometheus.io/docs/instrumenting/exposition_formats/ */
const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '"': '\\"' };

const escaped = (text: string, characters: RegExp): string =>
  text.replace(characters, (character) => ESCAPES[character] ?? character);

const labelsText = (labels: Sample['labels']): string => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(String(value), /[\\\n"]/g)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
};

/** JavaScript writes numbers as Go reads them, but for infinity. */
const numberText = (value: number): string => String(value).replace('Infinity', 'Inf');

const familyText = ({ name, help, type, values }: MetricFamily): string =>
  [
    `# HELP ${name} ${escaped(help, /[\\\n]/g)}`,
    `# TYPE ${name} ${type}`,
    ...values.map(({ labels, value, metricName = name }) => `${metricName}${labelsText(labels)} ${numberText(value)}`),
  ].join('\n');

/** Renders metrics in the text format of Prometheus. A family without values is left out. */
export const metricsPage = (families: readonly MetricFamily[]): Page => ({
  code: 200,
  contentType: CONTENT_TYPE,
  body: families
    .filter(({ values }) => values.length > 0)
    .map((family) => `${familyText(family)}\n`)
    .join('\n'),
});
