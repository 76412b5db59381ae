import { readdir, readFile } from 'node:fs/promises';
import { request } from 'node:http';
import type { Reload, ReloadSignal } from '../config/config.ts';
import { messageOf } from '../util/errors.ts';

/** Sends a signal to a process. */
export type Kill = (pid: number, signal: ReloadSignal) => unknown;

/** Asks a server to read its certificate again. */
export interface Reloader {
  /**
   * Asks for a generation of the mounted files: once, and again after 30 s if the server still shows another certificate.
   *
   * @returns why it could not be asked, or null
   */
  readonly ask: (generation: string) => Promise<string | null>;
}

/** Servers that fork new workers at each request would otherwise fork for ever. */
const AGAIN_MS = 30_000;
const TIMEOUT_MS = 2_000;

interface ReloaderOptions {
  readonly reload: Reload;
  readonly kill: Kill;
  readonly nowMs: () => number;
  /** Where the processes of the Pod are found. */
  readonly processes?: string;
  /** How long a POST may take. */
  readonly timeoutMs?: number;
}

export const reloader = (options: ReloaderOptions): Reloader => {
  const { reload, kill, nowMs, processes = '/proc', timeoutMs = TIMEOUT_MS } = options;
  let asked: { readonly generation: string; readonly atMs: number } | null = null;

  const send = async (): Promise<void> => {
    if (reload.kind === 'http') return post(reload.url, timeoutMs);
    const roots = await rootProcesses(processes, reload.command);
    if (roots.length === 0) throw new Error(`no process with the command name ${reload.command} is visible`);
    for (const pid of roots) kill(pid, reload.signal);
  };

  return {
    ask: async (generation) => {
      if (asked?.generation === generation && nowMs() - asked.atMs < AGAIN_MS) return null;
      try {
        await send();
        asked = { generation, atMs: nowMs() };
        return null;
      } catch (error) {
        return messageOf(error);
      }
    },
  };
};

const post = (url: string, timeoutMs: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const call = request(url, { method: 'POST', agent: false, timeout: timeoutMs }, (answer) => {
      const { statusCode = 0 } = answer;
      answer.resume();
      if (statusCode < 300) resolve();
      else reject(new Error(`POST ${url}: HTTP status ${statusCode}`));
    });
    call.on('timeout', () => call.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    call.on('error', (error) => reject(new Error(`POST ${url}: ${messageOf(error)}`)));
    call.end();
  });

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** `PID (COMMAND) STATE PPID …` of proc(5). A command may contain parentheses and blanks. */
const STAT = /^(?<pid>\d+) \((?<command>.*)\) \S (?<parent>\d+) /s;

const processOf = async (directory: string): Promise<Process | null> => {
  // It may have ended meanwhile.
  const text = await readFile(`${directory}/stat`, 'latin1').catch(() => '');
  const parts = STAT.exec(text)?.groups;
  if (parts === undefined) return null;
  return { pid: Number(parts['pid']), parent: Number(parts['parent']), command: parts['command'] ?? '' };
};

/**
 * The processes with this command name whose parents have another: the master of a server that forks workers, which bear
 * the same name and must not be signalled.
 */
const rootProcesses = async (processes: string, command: string): Promise<readonly number[]> => {
  const names = (await readdir(processes)).filter((name) => /^\d+$/.test(name));
  const all = await Promise.all(names.map((name) => processOf(`${processes}/${name}`)));
  const named = all.filter((one): one is Process => one?.command === command);
  return named.filter(({ parent }) => !named.some(({ pid }) => pid === parent)).map(({ pid }) => pid);
};
