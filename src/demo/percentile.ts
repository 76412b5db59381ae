/** The value that a share of all values does not exceed (nearest rank); null of nothing. */
export const percentile = (values: readonly number[], share: number): number | null => {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
};
