import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a script of this repository as a process of its own and resolves when it has ended, however it did. */
export const endedScript = (script: URL, ...flags: readonly string[]): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(process.execPath, [fileURLToPath(script), ...flags], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
