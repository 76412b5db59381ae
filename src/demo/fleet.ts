import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { filter, firstValueFrom, fromEvent, map, type Observable, share, startWith, Subject, timeout } from 'rxjs';
import type { Endpoint } from './caller.ts';

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

/** The state of all replicas, according to their logs. */
export interface Fleet extends Disposable {
  readonly endpoints: () => readonly Endpoint[];
  /** The hash that every replica serves; null while they differ. */
  servedByAll(): string | null;
  /** Time from the first sight of a certificate to serving it, ms, one for each load. */
  readonly adoptionsMs: readonly number[];
  /** Resolves when the condition holds, which is evaluated after every log line. Rejects at the timeout. */
  until(condition: () => boolean, withinMs: number): Promise<unknown>;
  readonly narrowed: number;
}

/** Follows the logs of the replicas, and passes each line on to `tell`. */
export const followFleet = (replicas: readonly DemoReplica[], tell: (who: string, line: LogLine) => void): Fleet => {
  const ready = new Map<string, Endpoint>();
  const served = new Map<string, string>();
  const adoptionsMs: number[] = [];
  const line$ = new Subject<LogLine>();
  let narrowed = 0;

  const note = ({ name, webhookPort }: DemoReplica, line: LogLine): void => {
    if (line['event'] === 'ready') ready.set(name, { name, port: webhookPort });
    if (line['event'] === 'not-ready') ready.delete(name);
    if (line['event'] === 'ca-bundle-pruned') narrowed += 1;
    if (line['event'] === 'certificate-loaded') {
      served.set(name, String(line['hash']));
      adoptionsMs.push(Number(line['elapsedMs']));
    }
    tell(name, line);
    line$.next(line);
  };
  const subscriptions = replicas.map((replica) => replica.line$.subscribe((line) => note(replica, line)));

  return {
    endpoints: () => [...ready.values()],
    servedByAll: () => {
      const [first = null, ...others] = replicas.map(({ name }) => served.get(name) ?? null);
      return others.every((hash) => hash === first) ? first : null;
    },
    adoptionsMs,
    get narrowed() {
      return narrowed;
    },
    until: (condition, withinMs) => firstValueFrom(line$.pipe(startWith(null), filter(condition), timeout(withinMs))),
    [Symbol.dispose]: () => subscriptions.forEach((subscription) => subscription.unsubscribe()),
  };
};
