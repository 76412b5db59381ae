import type { Page } from '../util/plain-server.ts';
import type { MetricFamily, Sample } from './instruments.ts';

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
