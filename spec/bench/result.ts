import type { Finding, Limit } from './figure.ts';
import { type Summary, summary } from './summary.ts';

/** One figure as `--json` tells it. */
export interface Result extends Summary {
  /** What `--only` calls it; one such may find several. */
  readonly figure: string;
  readonly name: string;
  readonly unit: string;
  readonly baseline: (Summary & { readonly name: string }) | null;
  /** Of the medians. */
  readonly ratio: number | null;
  readonly limit: readonly Limit[];
  readonly met: boolean;
}

/** What was found, summed up and compared with how far it may go. */
export const result = (figure: string, finding: Finding): Result => {
  const { name, unit, values, moreIsBetter, baseline, limits } = finding;
  const own = summary(values, moreIsBetter);
  const other = baseline && { name: baseline.name, ...summary(baseline.values, moreIsBetter) };
  const ratio = other === undefined ? null : Number((own.median / other.median).toPrecision(3));
  const isMet = ({ of, atMost = Infinity, atLeast = -Infinity }: Limit): boolean => {
    const value = of === 'ratio' ? ratio : own[of];
    return value !== null && value <= atMost && value >= atLeast;
  };
  return { figure, name, unit, ...own, baseline: other ?? null, ratio, limit: limits, met: limits.every(isMet) };
};
