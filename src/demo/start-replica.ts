import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fromEvent, map, type Observable, share } from 'rxjs';

/** One line of a replica's log. */
export interface LogLine {
  readonly level: string;
  readonly time: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

export interface DemoReplica extends AsyncDisposable {
  readonly name: string;
  readonly webhookPort: number;
  readonly probePort: number;
  readonly pid: number;
  readonly line$: Observable<LogLine>;
  /** Sends SIGTERM; disposing also waits for the exit. */
  stop(): void;
  /** Settles when the process has ended. */
  readonly ended: Promise<unknown>;
}

/** How this program is run. */
export interface Program {
  /** Path of the Node binary. */
  readonly node: string;
  /** Flags of Node, before the script. */
  readonly flags: readonly string[];
  readonly script: string;
}

interface ReplicaPlace {
  readonly name: string;
  readonly webhookPort: number;
  readonly probePort: number;
  readonly env: Readonly<Record<string, string>>;
}

const parse = (text: string): LogLine => {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return { level: 'error', time: new Date().toISOString(), message: text };
  }
};

/** Runs this program as one replica in a child process, which shares stderr with this one. */
export const startReplica = (
  { name, webhookPort, probePort, env }: ReplicaPlace,
  { node, flags, script }: Program,
): DemoReplica => {
  const child = spawn(node, [...flags, script, 'serve'], {
    env: {
      ...env,
      POD_NAME: name,
      WEBHOOK_BIND_ADDRESS: `127.0.0.1:${webhookPort}`,
      HEALTH_PROBE_BIND_ADDRESS: `127.0.0.1:${probePort}`,
      METRICS_BIND_ADDRESS: '0',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
    // In its own process group, so that Ctrl-C reaches the demo only and replicas are stopped in order.
    detached: true,
  });
  const ended = once(child, 'exit');
  const stop = (): void => void child.kill('SIGTERM');
  const line$ = fromEvent(createInterface(child.stdout), 'line').pipe(map(String), map(parse), share());
  return {
    name,
    webhookPort,
    probePort,
    pid: child.pid ?? 0,
    line$,
    stop,
    ended,
    [Symbol.asyncDispose]: async () => {
      stop();
      await ended;
    },
  };
};
