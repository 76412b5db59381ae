const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;

/** A whole number of milliseconds in the largest unit that divides it: 90000 is `90s`, 86400000 is `1d`, 0 is `0`. */
export function durationText(durationMs: number): string {
  if (durationMs === 0) return '0';
  const [unit, unitMs] = units.find(([, ms]) => durationMs >= ms && durationMs % ms === 0) ?? ['ms', 1];
  return `${durationMs / unitMs}${unit}`;
}
