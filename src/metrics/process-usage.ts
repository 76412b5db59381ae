import { readdirSync, readFileSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { monotonicMs } from '../util/time.ts';
import type { ProcessUsage } from './process-families.ts';

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
