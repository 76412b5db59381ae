import { percentile } from '../../src/demo/run-demo.ts';
import type { Peer, Production } from './programs.ts';

/** What a figure finds when its turn comes. */
export interface Bench {
  /** Few rounds, for the spec that runs all of it: the numbers are then worth nothing. */
  readonly quick: boolean;
  /** An empty folder of its own, removed afterwards. */
  readonly folder: string;
  /** The production bundle, as the image starts it. */
  readonly production: Production;
  /** Builds another program of spec/bench as the production bundle is built, and tells its path. */
  readonly build: (name: string) => Promise<string>;
  /** The Go program; null where it cannot be compiled. */
  readonly peer: Peer | null;
  /** Tells a person what is going on. */
  readonly say: (text: string) => void;
}

/** How far a figure may go: of its median, its p99, its ratio to the baseline or that to the Go program. */
export interface Limit {
  readonly of: 'median' | 'p99' | 'ratio' | 'go';
  readonly atMost?: number;
  readonly atLeast?: number;
}

export interface Finding {
  /** Kebab-case, unique among all figures. */
  readonly name: string;
  /** Such as `ms`, `MiB`, `1/s`. */
  readonly unit: string;
  /** Every single measurement. */
  readonly values: readonly number[];
  /** More is better, as with requests a second: p99 is then what 99 % of the measurements reach. */
  readonly moreIsBetter?: true;
  /** What it is compared with, measured in the same run, in turn with it. */
  readonly baseline?: { readonly name: string; readonly values: readonly number[] };
  /** The same of the Go program, measured in the same run; undefined where no Go toolchain is installed. */
  readonly go?: readonly number[] | undefined;
  readonly limits: readonly Limit[];
}

/** Measures one thing, as one or more lines of the table. */
export type Figure = (bench: Bench) => Promise<readonly Finding[]>;

export interface Summary {
  readonly median: number;
  readonly p99: number;
}

const rounded = (value: number): number => Number(value.toPrecision(4));

/** Median and p99 (nearest rank), to four digits. Where more is better, p99 is what 99 % of the values reach. */
export const summary = (values: readonly number[], moreIsBetter = false): Summary => {
  const [median, p99] = [percentile(values, 0.5), percentile(values, moreIsBetter ? 0.01 : 0.99)];
  if (median === null || p99 === null) throw new Error('nothing was measured');
  return { median: rounded(median), p99: rounded(p99) };
};

/** One figure as `--json` tells it. */
export interface Result extends Summary {
  /** What `--only` calls it; one such may find several. */
  readonly figure: string;
  readonly name: string;
  readonly unit: string;
  readonly baseline: (Summary & { readonly name: string }) | null;
  /** The median of what the values are of those of the baseline, one by one. */
  readonly ratio: number | null;
  /** The Go program's, and the ratio to it; null where the Go program's is 0. */
  readonly go: (Summary & { readonly ratio: number | null }) | null;
  readonly limit: readonly Limit[];
  readonly met: boolean;
}

/**
 * The median of the ratios of turns that followed one another, so that a machine that is slow for a while is slow for both; that
 * of the medians where there are not equally many turns. Null where the other takes nothing.
 */
const ratioOf = (own: readonly number[], other: readonly number[]): number | null => {
  const median = (values: readonly number[]): number => percentile(values, 0.5) ?? NaN;
  const isPaired = own.length === other.length && other.every((value) => value > 0);
  const ratio = isPaired ? median(own.map((value, at) => value / other[at]!)) : median(own) / median(other);
  return Number.isFinite(ratio) ? Number(ratio.toPrecision(3)) : null;
};

/**
 * What was found, summed up and compared with how far it may go. A limit that compares with the Go program holds where
 * that was measured.
 */
export const result = (figure: string, finding: Finding): Result => {
  const { name, unit, values, moreIsBetter, baseline, go, limits } = finding;
  const own = summary(values, moreIsBetter);
  const other = baseline && { name: baseline.name, ...summary(baseline.values, moreIsBetter) };
  const ratio = baseline === undefined ? null : ratioOf(values, baseline.values);
  const besideGo =
    go === undefined || go.length === 0 ? null : { ...summary(go, moreIsBetter), ratio: ratioOf(values, go) };
  const limit = limits.filter(({ of }) => of !== 'go' || besideGo !== null);
  const isMet = ({ of, atMost = Infinity, atLeast = -Infinity }: Limit): boolean => {
    const value = of === 'ratio' ? ratio : of === 'go' ? (besideGo?.ratio ?? null) : own[of];
    return value !== null && value <= atMost && value >= atLeast;
  };
  return { figure, name, unit, ...own, baseline: other ?? null, ratio, go: besideGo, limit, met: limit.every(isMet) };
};

const limitText = (unit: string) => (limit: Limit) => {
  const amount = limit.of === 'ratio' || limit.of === 'go' ? 'x' : ` ${unit}`;
  const of = limit.of === 'go' ? 'of Go' : limit.of;
  return [
    ...(limit.atMost === undefined ? [] : [`${of} ≤ ${limit.atMost}${amount}`]),
    ...(limit.atLeast === undefined ? [] : [`${of} ≥ ${limit.atLeast}${amount}`]),
  ].join(', ');
};

const cells = ({ name, unit, median, p99, baseline, ratio, go, limit, met }: Result): readonly string[] => [
  name,
  `${median} ${unit}`,
  String(p99),
  baseline === null ? '' : `${baseline.median} ${baseline.name}`,
  ratio === null ? '' : `${ratio} x`,
  go === null ? '' : go.ratio === null ? String(go.median) : `${go.median} (${go.ratio} x)`,
  limit.map(limitText(unit)).join(', '),
  limit.length === 0 ? '' : met ? 'met' : 'NOT MET',
];

/** The results in columns, for a terminal and for Markdown alike. */
export const table = (results: readonly Result[]): string => {
  const head = ['figure', 'median', 'p99', 'baseline', 'ratio', 'Go', 'mark', ''];
  const rows = [head, head.map(() => '-'), ...results.map(cells)];
  const widths = head.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0, cell === '-' ? '-' : ' ')).join(' | ')} |`;
  return rows.map(line).join('\n');
};
