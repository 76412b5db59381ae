import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Binds every thread of a process to one core, those to come included, so that who is measured and who measures do not
 * take each other's place. False where there is one core alone, or no `taskset` (util-linux).
 */
export const pin = async (pid: number, core: number): Promise<boolean> => {
  if (availableParallelism() <= core) return false;
  return run('taskset', ['-a', '-c', '-p', String(core), String(pid)]).then(
    () => true,
    () => false,
  );
};
