import { execFile, type ExecFileOptions, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Runs a program of the system and resolves with what it printed; rejects with what it complained of. */
export const runTool = async (command: string, ...args: readonly string[]): Promise<string> => {
  const { stdout } = await execute(command, args);
  return stdout.trim();
};

/** As {@link runTool}, for a program that reads its input; everything that it printed is returned as it is. */
export const runToolWithInput = async (
  input: string,
  command: string,
  args: readonly string[],
  options: ExecFileOptions = {},
): Promise<string> => {
  const running = execute(command, args, { maxBuffer: 1 << 26, ...options, encoding: 'utf8' });
  // A program that ends without reading says why by its exit code.
  running.child.stdin?.on('error', () => undefined).end(input);
  const { stdout } = await running;
  return stdout;
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
