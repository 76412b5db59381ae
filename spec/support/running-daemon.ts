import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { filter, firstValueFrom, merge, of, Subject, timeout } from 'rxjs';
import { program } from './program.ts';
import { waitLimit } from './until.ts';

export type LogLine = Readonly<Record<string, unknown>> & { readonly message: string };

/** The daemon as a process of its own. */
export interface RunningDaemon extends AsyncDisposable {
  /** Everything it has logged, as parsed from its stdout. */
  readonly lines: readonly LogLine[];
  readonly stderr: () => string;
  /** The same as it was written, for what is no JSON too. */
  readonly stdout: () => string;
  readonly pid: number;
  /** The exit code; null after a signal. */
  readonly exit: Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
  /** Nobody reads what it logs from here on: its pipe is closed. */
  deafen(): void;
  /** The first line with this message and these fields that has come or will come; rejects in time, or when the daemon has ended. */
  line(message: string, fields?: Readonly<Record<string, unknown>>, withinMs?: number): Promise<LogLine>;
  /** How many lines have this message. */
  count(message: string): number;
  /** Lines from here on: what was said before is not looked at by `line`. */
  mark(): void;
}

/** Set by suite.ts. */
const { NODE_COMPILE_CACHE } = process.env;
const cached = NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE };

const parse = (text: string): LogLine => {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    // LOG_FORMAT=pretty.
    return { message: text };
  }
};

const has = (line: LogLine, fields: Readonly<Record<string, unknown>>): boolean =>
  Object.entries(fields).every(([name, value]) => line[name] === value);

export interface DaemonOptions {
  /** Come after `serve`. */
  readonly flags?: readonly string[];
  /** A program, with its arguments, that becomes the daemon: `ip netns exec NAME`, `prlimit --nofile=64`. */
  readonly within?: readonly string[];
  /** Gets what the daemon logs, instead of `lines`. */
  readonly stdout?: number;
}

/** Starts it with this environment and nothing of ours but the compiled sources. */
export const runDaemon = (
  env: Readonly<Record<string, string>>,
  { flags = [], within = [], stdout: logsTo }: DaemonOptions = {},
): RunningDaemon => {
  const [command = '', ...args] = [...within, process.execPath, program(), 'serve', ...flags];
  const child = spawn(command, args, { env: { ...cached, ...env }, stdio: ['ignore', logsTo ?? 'pipe', 'pipe'] });
  const lines: LogLine[] = [];
  const line$ = new Subject<LogLine>();
  let stderr = '';
  let stdout = '';
  let marked = 0;
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  if (child.stdout !== null)
    createInterface(child.stdout).on('line', (text) => {
      stdout += `${text}\n`;
      const line = parse(text);
      lines.push(line);
      line$.next(line);
    });
  const exit = once(child, 'close')
    .then(([code]) => code as number | null)
    .finally(() => line$.complete());

  return {
    lines,
    stderr: () => stderr,
    stdout: () => stdout,
    pid: child.pid ?? 0,
    exit,
    kill: (signal) => void child.kill(signal),
    deafen: () => void child.stdout?.destroy(),
    mark: () => (marked = lines.length),
    count: (message) => lines.filter((line) => line.message === message).length,
    line: async (message, fields = {}, withinMs = 15_000) => {
      const limitMs = waitLimit(withinMs);
      const wanted$ = merge(of(...lines.slice(marked)), line$).pipe(
        filter((line) => line.message === message && has(line, fields)),
        timeout(limitMs),
      );
      try {
        return await firstValueFrom(wanted$);
      } catch {
        const said = lines.slice(-12).map((line) => JSON.stringify(line));
        const when = child.exitCode === null && child.signalCode === null ? `in ${limitMs} ms` : 'before it ended';
        throw new Error(`no "${message}" ${JSON.stringify(fields)} ${when}\n${said.join('\n')}\n${stderr}`);
      }
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await exit;
      const timer = lines.find((line) => /Timeout(?:Negative|Overflow)Warning/.test(String(line['error'])));
      if (timer !== undefined) throw new Error(`the daemon has set a bad timer: ${JSON.stringify(timer)}`);
    },
  };
};
