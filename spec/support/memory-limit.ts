import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from './until.ts';

/** A control group whose processes are killed above a limit, as those of a container are. */
export interface MemoryLimit extends AsyncDisposable {
  /** A program, with its arguments, that becomes a process of the group: see `within` of running-daemon.ts. */
  readonly within: readonly string[];
  /** The most that the group has ever held, bytes; the kernel's caches and socket buffers count. */
  peakBytes(): Promise<number>;
  /** How many processes the kernel killed for want of memory. */
  kills(): Promise<number>;
}

const VERSION_1 = '/sys/fs/cgroup/memory';
const VERSION_2 = '/sys/fs/cgroup';

const isWritable = (path: string): Promise<boolean> =>
  access(path, constants.W_OK).then(
    () => true,
    () => false,
  );

/** Whether this machine lets us make one: some containers mount control groups read-only. */
export const canLimitMemory = (): Promise<boolean> =>
  openMemoryLimit(2 ** 30).then(
    async (limit) => {
      await limit[Symbol.asyncDispose]();
      return true;
    },
    () => false,
  );

/** Needs root, and control groups of version 1 or 2 with the memory controller. */
export const openMemoryLimit = async (limitBytes: number): Promise<MemoryLimit> => {
  const isFirst = await isWritable(join(VERSION_1, 'cgroup.procs'));
  const path = join(isFirst ? VERSION_1 : VERSION_2, `spec-${randomUUID()}`);
  const names = isFirst
    ? { limit: 'memory.limit_in_bytes', peak: 'memory.max_usage_in_bytes', kills: 'memory.oom_control' }
    : { limit: 'memory.max', peak: 'memory.peak', kills: 'memory.events' };
  if (!isFirst) await writeFile(join(VERSION_2, 'cgroup.subtree_control'), '+memory');
  await mkdir(path);
  await writeFile(join(path, names.limit), String(limitBytes));
  const read = (name: string): Promise<string> => readFile(join(path, name), 'utf8');
  return {
    within: ['sh', '-c', 'echo $$ > "$0" && exec "$@"', join(path, 'cgroup.procs')],
    peakBytes: async () => Number(await read(names.peak)),
    kills: async () => Number(/^oom_kill (\d+)$/m.exec(await read(names.kills))?.[1] ?? NaN),
    [Symbol.asyncDispose]: async () => {
      await until(async () => (await read('cgroup.procs')) === '');
      await rmdir(path);
    },
  };
};
