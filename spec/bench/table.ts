import type { Limit } from './figure.ts';
import type { Result } from './result.ts';

const limitText = (unit: string) => (limit: Limit) => {
  const amount = limit.of === 'ratio' ? 'x' : ` ${unit}`;
  return [
    ...(limit.atMost === undefined ? [] : [`${limit.of} ≤ ${limit.atMost}${amount}`]),
    ...(limit.atLeast === undefined ? [] : [`${limit.of} ≥ ${limit.atLeast}${amount}`]),
  ].join(', ');
};

const cells = ({ name, unit, median, p99, baseline, ratio, limit, met }: Result): readonly string[] => [
  name,
  `${median} ${unit}`,
  String(p99),
  baseline === null ? '' : `${baseline.median} ${baseline.name}`,
  ratio === null ? '' : `${ratio} x`,
  limit.map(limitText(unit)).join(', '),
  limit.length === 0 ? '' : met ? 'met' : 'NOT MET',
];

/** The results in columns, for a terminal and for Markdown alike. */
export const table = (results: readonly Result[]): string => {
  const head = ['figure', 'median', 'p99', 'baseline', 'ratio', 'mark', ''];
  const rows = [head, head.map(() => '-'), ...results.map(cells)];
  const widths = head.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0, cell === '-' ? '-' : ' ')).join(' | ')} |`;
  return rows.map(line).join('\n');
};
