const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
] as const;

/** A span of time as people say it, two units at most: `32 ms`, `4.1 s`, `1 min 12 s`, `364 d`. */
export const spanText = (ms: number): string => {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 10_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  if (ms < 60_000) return `${Math.floor(ms / 1_000)} s`;
  const [unit, size] = UNITS.find(([, unitMs]) => ms >= unitMs) ?? UNITS[2];
  const whole = Math.floor(ms / size);
  if (unit === 'd' && whole >= 10) return `${whole} d`;
  const [smaller, smallerMs] = unit === 'd' ? UNITS[1] : unit === 'h' ? UNITS[2] : (['s', 1_000] as const);
  const rest = Math.floor((ms % size) / smallerMs);
  return rest === 0 ? `${whole} ${unit}` : `${whole} ${unit} ${rest} ${smaller}`;
};
