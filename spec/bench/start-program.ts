import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { containedHeap, imageEnv, type Production } from './production.ts';

export interface StartedProgram extends AsyncDisposable {
  readonly pid: number;
  readonly stdout: Readable;
  /** The exit code; null after a signal. */
  readonly ended: Promise<number | null>;
  /** The last lines it wrote. */
  readonly lastWords: () => string;
}

/**
 * Runs a script on this very Node in a process of its own, with the heap of a container, this environment and nothing of
 * ours, and kills it at the end of its block.
 */
export const startProgram = (
  script: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
  nodeFlags: readonly string[] = [],
): StartedProgram => {
  const words = [containedHeap, ...nodeFlags, script, ...args];
  const child = spawn(process.execPath, words, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2_000)));
  return {
    pid: child.pid ?? 0,
    stdout: child.stdout,
    ended,
    lastWords: () => said,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
};

/** One replica, started as the image starts it. */
export const startReplica = (
  { script, nodeFlags }: Production,
  env: Readonly<Record<string, string>>,
): StartedProgram => startProgram(script, ['serve'], { ...imageEnv(), ...env }, nodeFlags);
