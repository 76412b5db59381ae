import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MetricFamily, Sample } from '../../src/metrics/instruments.ts';
import type { Json } from '../support/raw-api.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { promtool } from './promtool.ts';

/** What is scraped, minute by minute. */
export type Scrapes = readonly (readonly MetricFamily[])[];

interface Claim {
  /** A rule file of Prometheus. */
  readonly rules: Json;
  /** The labels of the scraped target. */
  readonly labels: Sample['labels'];
  readonly scrapes: Scrapes;
  readonly expr: string;
  /** The value at the last scrape; null: none. */
  readonly value: number | null;
}

const labelText = (labels: Sample['labels']): string =>
  `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${value}"`)
    .join(', ')}}`;

/** The series that Prometheus makes of the scrapes, in the notation of promtool. */
const seriesOf = ({ scrapes, labels: target }: Claim) => {
  const series = new Map<string, string[]>();
  for (const [minute, families] of scrapes.entries())
    for (const { name, values } of families)
      for (const { labels, value, metricName = name } of values) {
        const key = `${metricName}${labelText({ ...target, ...labels })}`;
        const samples = series.get(key) ?? [];
        series.set(key, [...samples, ...Array.from({ length: minute - samples.length }, () => '_'), String(value)]);
      }
  return Array.from(series, ([key, samples]) => ({ series: key, values: samples.join(' ') }));
};

/** What promtool says of a claim about rules over scrapes. Prometheus starts at the epoch. */
export const promtoolTest = async (claim: Claim): Promise<Awaited<ReturnType<typeof promtool>>> => {
  const { rules, scrapes, expr, value } = claim;
  await using folder = await temporaryDirectory();
  const test = {
    interval: '1m',
    input_series: seriesOf(claim),
    promql_expr_test: [
      {
        expr,
        eval_time: `${scrapes.length - 1}m`,
        exp_samples: value === null ? [] : [{ labels: '{}', value }],
      },
    ],
  };
  await writeFile(join(folder.path, 'rules.yaml'), JSON.stringify(rules));
  const file = join(folder.path, 'tests.yaml');
  await writeFile(file, JSON.stringify({ rule_files: ['rules.yaml'], evaluation_interval: '1m', tests: [test] }));
  return await promtool(['test', 'rules', file]);
};
