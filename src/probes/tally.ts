import type { Family } from './family.ts';

/** A counter: one number for each combination of labels that has been seen. */
export interface Tally {
  /** Counts one more. The labels in the order they were declared; each from a small, closed set. */
  add(...labels: readonly string[]): void;
  family(): Family;
}

/**
 * @param known combinations that are told from the start, since a series that appears with its first count has no
 *   increase to alert on
 */
export const createTally = (
  name: string,
  help: string,
  labelNames: readonly string[],
  known: readonly (readonly string[])[] = [],
): Tally => {
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
