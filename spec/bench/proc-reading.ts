import { readdirSync, readFileSync } from 'node:fs';

/** What Linux tells of one process at one moment. */
export interface ProcReading {
  readonly rssMiB: number;
  /** Pages shared with n processes count as an n-th. */
  readonly pssMiB: number;
  /** User and system time of all threads since the start. */
  readonly cpuMs: number;
  /** How many times a thread of it was put on a CPU. */
  readonly wakeUps: number;
}

const mib = (text: string, name: string): number => {
  const [, kib = '0'] = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text) ?? [];
  return Number(kib) / 1024;
};

/** @param pid of a process that is alive */
export const procReading = (pid: number): ProcReading => {
  const read = (file: string): string => readFileSync(`/proc/${pid}/${file}`, 'utf8');
  const memory = read('smaps_rollup');
  const threads = readdirSync(`/proc/${pid}/task`).map((thread) =>
    read(`task/${thread}/schedstat`).split(' ').map(Number),
  );
  return {
    rssMiB: mib(memory, 'Rss'),
    pssMiB: mib(memory, 'Pss'),
    cpuMs: threads.reduce((sum, [ranNs = 0]) => sum + ranNs / 1e6, 0),
    wakeUps: threads.reduce((sum, [, , slices = 0]) => sum + slices, 0),
  };
};
