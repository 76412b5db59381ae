import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitLimit } from './until.ts';

export interface Program {
  /** SIGKILL: nothing is worth a graceful end here, and kube-apiserver's takes a minute. */
  kill(): Promise<void>;
}

export interface ProgramOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Gets stdout and stderr, appended. */
  readonly logFile: string;
  /** Asked every 50 ms; a rejection means "not yet". */
  isReady(): Promise<boolean>;
  /** Default 60 s, and more on a loaded machine. */
  readonly startTimeoutMs?: number;
}

/** Starts a program and waits until it is ready. It never outlives this process, unless that is killed by SIGKILL. */
export const runProgram = async (options: ProgramOptions): Promise<Program> => {
  await using log = await open(options.logFile, 'a');
  const child = spawn(options.command, options.args, { stdio: ['ignore', log.fd, log.fd] });
  const exited = once(child, 'exit').catch(() => undefined);
  const killNow = () => child.kill('SIGKILL');
  process.on('exit', killNow);
  const isRunning = () => child.exitCode === null && child.signalCode === null && child.pid !== undefined;
  const kill = async () => {
    process.off('exit', killNow);
    killNow();
    if (isRunning()) await exited;
  };
  const endMs = performance.now() + waitLimit(options.startTimeoutMs ?? 60_000);
  while (!(await options.isReady().catch(() => false))) {
    if (!isRunning() || performance.now() > endMs) {
      await kill();
      const words = await readFile(options.logFile, 'utf8').catch(() => '');
      throw new Error(`${options.command} did not become ready:\n${words.slice(-3_000)}`);
    }
    await sleep(50);
  }
  return { kill };
};
