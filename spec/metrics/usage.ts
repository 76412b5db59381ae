import type { ProcessUsage } from '../../src/metrics/process-usage.ts';

/** What a process could use. */
export const USAGE: ProcessUsage = {
  nodeVersion: 'v26.0.0',
  startedMs: 1_500,
  cpuSeconds: 2.5,
  residentBytes: 3,
  heapUsedBytes: 4,
  heapTotalBytes: 5,
  externalBytes: 6,
  openFiles: 7,
  maxFiles: 8,
  loopLagSeconds: 0.009,
};
