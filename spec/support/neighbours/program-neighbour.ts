import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const PYTHON_PROGRAM = join(import.meta.dirname, 'neighbour.py');
export const GO_PROGRAM = join(import.meta.dirname, 'neighbour.go');

/** Where the server listens, and where its certificate is mounted. */
export interface ServingPlace {
  readonly port: number;
  readonly directory: string;
}

/** A server as a process of its own, which waits for its certificate. */
export interface ProgramNeighbour extends AsyncDisposable {
  readonly pid: number;
  readonly stderr: () => string;
}

const start = (command: string, args: readonly string[]): ProgramNeighbour => {
  // A group of its own, so that workers end with their master.
  const child = spawn(command, args, { detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
  const exit = once(child, 'exit');
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const pid = child.pid ?? 0;
  return {
    pid,
    stderr: () => stderr,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) process.kill(-pid, 'SIGKILL');
      await exit;
    },
  };
};

export const startPython = (
  python: string,
  { directory, port }: ServingPlace,
  habit: 'reload' | 'never' | 'prefork',
): ProgramNeighbour => start(python, [PYTHON_PROGRAM, directory, String(port), habit]);

/** @param program neighbour.go, compiled */
export const startGo = (program: string, { directory, port }: ServingPlace): ProgramNeighbour =>
  start(program, [directory, String(port)]);

/**
 * nginx, which reads its certificate when its master gets a SIGHUP.
 *
 * @param folder for its configuration and its process id
 */
export const startNginx = async (
  nginx: string,
  { directory, port }: ServingPlace,
  folder: string,
): Promise<ProgramNeighbour> => {
  const configuration = join(folder, 'nginx.conf');
  const text = `
    daemon off;
    pid ${folder}/nginx.pid;
    error_log stderr warn;
    worker_processes 4;
    events {}
    http {
      access_log off;
      ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/${kind};`).join('\n')}
      server {
        listen 127.0.0.1:${port} ssl reuseport;
        ssl_certificate ${directory}/tls.crt;
        ssl_certificate_key ${directory}/tls.key;
        location / { return 204; }
      }
    }`;
  await writeFile(configuration, text);
  return start(nginx, ['-e', 'stderr', '-c', configuration, '-p', folder]);
};
