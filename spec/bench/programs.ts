import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { build, buildStart } from '../support/build.ts';
import { fillCodeCache } from '../support/fill-code-cache.ts';
import { goBinary } from '../support/go-binary.ts';
import { runTool } from '../support/run-tool.ts';

/** How the image starts the daemon. */
export interface Production {
  readonly script: string;
  /** What Node itself is given. */
  readonly nodeFlags: readonly string[];
}

/**
 * The heap that Node takes under the Deployment's memory limit (manifests/base/deployment.yaml, seen in a cgroup of 256 MiB).
 * It takes 4 GiB on a machine without a limit, and V8 then lets what is in use grow fourfold before it looks for garbage.
 */
export const containedHeap = '--max-heap-size=262';

const dockerfile = (): string => readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8');

/** The words of the Dockerfile's ENTRYPOINT: Node, its flags, the script. */
export const entrypoint = (): readonly string[] => {
  const [, words = '[]'] = /^ENTRYPOINT (\[.*\])$/m.exec(dockerfile()) ?? [];
  return JSON.parse(words) as string[];
};

/** What the image's ENV sets beside the PATH. */
export const imageEnv = (): Readonly<Record<string, string>> => {
  const words = [...dockerfile().matchAll(/^ENV (.*)$/gm)].flatMap(([, line = '']) => line.split(' '));
  const pairs = words.map((word): [string, string] => [word.split('=')[0] ?? '', word.slice(word.indexOf('=') + 1)]);
  return Object.fromEntries(pairs.filter(([name]) => name !== 'PATH'));
};

const root = join(import.meta.dirname, '..', '..');

const newestMs = async (folder: string): Promise<number> => {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Math.max(...(await Promise.all(files.map(async (file) => (await stat(file)).mtimeMs))));
};

/** The production bundle as the image starts it, built when it is absent or older than what it is made of. */
export const bundle = async (): Promise<Production> => {
  const folder = join(root, 'dist');
  const program = join(folder, 'webhook-certd.js');
  const writtenMs = async (file: string) => (await stat(join(folder, file)).catch(() => null))?.mtimeMs ?? 0;
  const files = ['package-lock.json', 'spec/support/build.ts'];
  const sources = await Promise.all([
    newestMs('src'),
    newestMs('streams'),
    ...files.map(async (file) => (await stat(join(root, file))).mtimeMs),
  ]);
  const isStale = (await writtenMs('start.cjs')) < Math.max(...sources);
  if (isStale) {
    await build({ entry: join(root, 'src', 'main.ts'), outfile: program, sourcemap: false });
    await buildStart(folder);
  }
  const nodeFlags = entrypoint().slice(1, -1);
  const madeMs = Math.max(await writtenMs('start.cjs'), (await stat(join(root, 'Dockerfile'))).mtimeMs);
  if ((await writtenMs('webhook-certd.cache')) < madeMs) await fillCodeCache(folder, nodeFlags);
  return { script: join(folder, 'start.cjs'), nodeFlags };
};

export interface StartedProgram extends AsyncDisposable {
  readonly pid: number;
  readonly stdout: Readable;
  /** The exit code; null after a signal. */
  readonly ended: Promise<number | null>;
  /** The last lines it wrote. */
  readonly lastWords: () => string;
}

/** Runs an executable in a process of its own, with this environment alone, and kills it at the end of its block. */
export const startExecutable = (
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): StartedProgram => {
  const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
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

/** Runs a script on this very Node, with the heap of a container, this environment and nothing of ours. */
export const startProgram = (
  script: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
  nodeFlags: readonly string[] = [],
): StartedProgram => startExecutable(process.execPath, [containedHeap, ...nodeFlags, script, ...args], env);

/** One replica, started as the image starts it. */
export const startReplica = (
  { script, nodeFlags }: Production,
  env: Readonly<Record<string, string>>,
): StartedProgram => startProgram(script, ['serve'], { ...imageEnv(), ...env }, nodeFlags);

/** The same webhook in Go. It is measured in turn with the others where a Go toolchain is installed. */
export interface Peer {
  start(port: number, directory: string): StartedProgram;
}

/**
 * Compiles it; null where there is no Go toolchain.
 *
 * @param folder where the executable goes
 */
export const buildPeer = async (folder: string): Promise<Peer | null> => {
  const go = goBinary();
  if (go === null) return null;
  const program = join(folder, 'peer-go');
  await runTool(go, 'build', '-o', program, join(import.meta.dirname, 'peer-go', 'main.go'));
  return {
    // One core, as a container with a CPU limit of 1 has since Go 1.25.
    start: (port, directory) => startExecutable(program, [String(port), directory], { GOMAXPROCS: '1' }),
  };
};

/** The addresses of a replica on loopback; only the webhook's port matters to somebody. */
export const ownPorts = (webhookPort: number): Readonly<Record<string, string>> => ({
  WEBHOOK_BIND_ADDRESS: `127.0.0.1:${webhookPort}`,
  HEALTH_PROBE_BIND_ADDRESS: '127.0.0.1:0',
  METRICS_BIND_ADDRESS: '127.0.0.1:0',
});

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
