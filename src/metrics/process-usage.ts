import { readdirSync, readFileSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { monotonicMs } from '../util/time.ts';
import type { MetricFamily } from './instruments.ts';

/** The parts of Node's global that are read. */
type Own = Pick<NodeJS.Process, 'cpuUsage' | 'memoryUsage' | 'uptime' | 'version'>;

const MICROSECONDS = 1e6;

const orNull = <T>(read: () => T): T | null => {
  try {
    return read();
  } catch {
    // Not on Linux.
    return null;
  }
};

/** The listing opens a descriptor of its own. */
const openFiles = (proc: string): number => readdirSync(`${proc}/fd`).length - 1;

const maxFiles = (proc: string): number | null => {
  const limits = readFileSync(`${proc}/limits`, 'latin1');
  const [, soft] = /^Max open files +(\d+|unlimited)/m.exec(limits) ?? [];
  return soft === undefined ? null : Number(soft.replace('unlimited', 'Infinity'));
};

/**
 * Returns a function that reads what the process uses. It takes well under a millisecond and leaves nothing running, unlike
 * a histogram of the event loop's delay, which wakes the process a hundred times a second.
 *
 * @param proc what Linux says of the process
 */
export const processUsage = (own: Own, proc = '/proc/self'): (() => Promise<ProcessUsage>) => {
  const startedMs = Date.now() - own.uptime() * 1_000;
  return async () => {
    const askedMs = monotonicMs();
    await turn();
    const loopLagSeconds = (monotonicMs() - askedMs) / 1_000;
    const { user, system } = own.cpuUsage();
    const { rss, heapUsed, heapTotal, external } = own.memoryUsage();
    return {
      nodeVersion: own.version,
      startedMs,
      cpuSeconds: (user + system) / MICROSECONDS,
      residentBytes: rss,
      heapUsedBytes: heapUsed,
      heapTotalBytes: heapTotal,
      externalBytes: external,
      openFiles: orNull(() => openFiles(proc)),
      maxFiles: orNull(() => maxFiles(proc)),
      loopLagSeconds,
    };
  };
};

/** What the process has used so far, and what it holds. */
export interface ProcessUsage {
  readonly nodeVersion: string;
  readonly startedMs: number;
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  /** Outside the heap of JavaScript: buffers, and what libraries in C hold for objects. */
  readonly externalBytes: number;
  /** Null where the system does not say. */
  readonly openFiles: number | null;
  readonly maxFiles: number | null;
  /** How long something that is due now waits for its turn. */
  readonly loopLagSeconds: number;
}

type Row = readonly [
  name: string,
  type: 'counter' | 'gauge',
  help: string,
  valueOf: (usage: ProcessUsage) => number | null,
];

/** Under the names that other exporters use, so that dashboards for any process or any Node fit. */
const ROWS: readonly Row[] = [
  [
    'process_start_time_seconds',
    'gauge',
    'Start of the process since the epoch.',
    ({ startedMs }) => startedMs / 1_000,
  ],
  ['process_cpu_seconds_total', 'counter', 'CPU time in user and system mode.', ({ cpuSeconds }) => cpuSeconds],
  ['process_resident_memory_bytes', 'gauge', 'Resident memory.', ({ residentBytes }) => residentBytes],
  ['process_open_fds', 'gauge', 'Open file descriptors.', ({ openFiles }) => openFiles],
  ['process_max_fds', 'gauge', 'Limit of open file descriptors.', ({ maxFiles }) => maxFiles],
  ['nodejs_heap_size_used_bytes', 'gauge', 'Used heap of JavaScript.', ({ heapUsedBytes }) => heapUsedBytes],
  ['nodejs_heap_size_total_bytes', 'gauge', 'Heap of JavaScript.', ({ heapTotalBytes }) => heapTotalBytes],
  [
    'nodejs_external_memory_bytes',
    'gauge',
    'Memory outside the heap of JavaScript.',
    ({ externalBytes }) => externalBytes,
  ],
  [
    'nodejs_eventloop_lag_seconds',
    'gauge',
    'Delay of the event loop at the scrape.',
    ({ loopLagSeconds }) => loopLagSeconds,
  ],
];

/** The metrics of the process. A value that is not known has no series. */
export const processFamilies = (usage: ProcessUsage): readonly MetricFamily[] => [
  ...ROWS.map(([name, type, help, valueOf]): MetricFamily => {
    const value = valueOf(usage);
    return { name, type, help, values: value === null ? [] : [{ labels: {}, value }] };
  }),
  {
    name: 'nodejs_version_info',
    type: 'gauge',
    help: 'Always 1; the version of Node is in the label.',
    values: [{ labels: { version: usage.nodeVersion }, value: 1 }],
  },
];
