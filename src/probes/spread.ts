import type { Family } from './family.ts';

/** A histogram of durations, in seconds as Prometheus wants them. */
export interface Spread {
  observe(seconds: number): void;
  family(): Family;
}

/** @param bounds the buckets' upper bounds, seconds, ascending; one without bound is added */
export const createSpread = (name: string, help: string, bounds: readonly number[]): Spread => {
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
