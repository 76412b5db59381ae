import { percentile } from '../../src/demo/run-demo.ts';

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
