import { availableParallelism, loadavg } from 'node:os';

/** Keeps a scaled wait within the usual timeout of a spec. */
const MAX_FACTOR = 3;
/** A shorter limit is what the spec asserts; a longer one only detects a hang. */
const MIN_SCALED_MS = 10_000;

/** The time limit of a wait, scaled to the load per processor, so that a spec does not fail because the machine is busy. */
export const waitLimit = (ms: number): number => {
  const [lastMinute = 0] = loadavg();
  const factor = Math.min(MAX_FACTOR, Math.max(1, lastMinute / availableParallelism()));
  return ms < MIN_SCALED_MS ? ms : Math.ceil(ms * factor);
};
