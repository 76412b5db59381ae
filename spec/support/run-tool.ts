import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Runs a program of the system and resolves with what it printed; rejects with what it complained of. */
export const runTool = async (command: string, ...args: readonly string[]): Promise<string> => {
  const { stdout } = await execute(command, args);
  return stdout.trim();
};

/**
 * Undoes at the end of this process, whatever ends it but SIGKILL, what is not undone before.
 *
 * @returns undoes it now, once
 */
export const undoAtExit = (command: string, ...args: readonly string[]): (() => void) => {
  const undo = (): void => {
    process.off('exit', undo);
    execFileSync(command, args, { stdio: 'ignore' });
  };
  process.on('exit', undo);
  return undo;
};
