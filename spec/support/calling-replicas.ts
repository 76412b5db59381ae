import { setTimeout as sleep } from 'node:timers/promises';
import { reviewText } from './admission-review.ts';
import type { SpecReplica } from './installation.ts';
import { scaled } from './until.ts';
import { call } from './webhook-call.ts';

/** Calls to single replicas, each over a handshake of its own. */
export interface CallingReplicas extends AsyncDisposable {
  readonly calls: number;
  readonly failures: readonly string[];
}

export interface CallingOptions {
  /** Whom to call; asked before each round. A call to one that has left by its end does not count. */
  readonly endpoints: () => readonly Pick<SpecReplica, 'name' | 'host' | 'webhookPort'>[];
  /** PEM; the only thing that is trusted. */
  readonly caBundle: () => string;
  readonly serverName: string;
  readonly everyMs: number;
}

const callOnce = (host: string, port: number, ca: string, servername: string): Promise<string | null> =>
  call({
    host,
    port,
    path: '/validate',
    ca,
    servername,
    body: reviewText(),
    signal: AbortSignal.timeout(scaled(10_000)),
  }).then(({ status, text }) => (status === 200 ? null : `HTTP ${status} ${text}`), String);

/**
 * Calls each replica again and again, as the API server would, but handshaking every time: what a replica serves at
 * any instant must verify against the caBundle of that instant (L2).
 */
export const startCallingReplicas = (options: CallingOptions): CallingReplicas => {
  const { endpoints, caBundle, serverName, everyMs } = options;
  const failures: string[] = [];
  let [calls, isOver] = [0, false];
  const callAll = async (): Promise<void> => {
    while (!isOver) {
      const round = endpoints().map(async ({ name, host, webhookPort }) => {
        const failure = await callOnce(host, webhookPort, caBundle(), serverName);
        if (!endpoints().some((still) => still.name === name)) return;
        calls += 1;
        if (failure !== null) failures.push(`${name}: ${failure}`);
      });
      await Promise.all([...round, sleep(everyMs)]);
    }
  };
  const calling = callAll();
  return {
    get calls() {
      return calls;
    },
    failures,
    [Symbol.asyncDispose]: async () => {
      isOver = true;
      await calling;
    },
  };
};
