import { readFileSync, readdirSync } from 'node:fs';

/** What one process holds on to. Linux only, as it is read from /proc. */
export interface Sample {
  readonly rssMiB: number;
  readonly handles: number;
}

/** @param pid of a process that is alive */
export const sample = (pid: number): Sample => {
  const [, kib = '0'] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return { rssMiB: Math.round(Number(kib) / 102.4) / 10, handles: readdirSync(`/proc/${pid}/fd`).length };
};
