/** One reading of something at a time. */
export interface Reading {
  readonly atMs: number;
  readonly value: number;
}

export const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

/** By how much it grows an hour, by Theil and Sen: the median of the slopes of all pairs, which no outlier can bend. */
export const growthPerHour = (readings: readonly Reading[]): number => {
  const everySoMany = Math.ceil(readings.length / 200);
  const some = readings.filter((_, at) => at % everySoMany === 0);
  const slopes = some.flatMap((from, at) =>
    some.slice(at + 1).map((to) => ((to.value - from.value) / (to.atMs - from.atMs)) * 3_600_000),
  );
  return median(slopes);
};
