import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SpecReplica } from './installation.ts';
import { scaled } from './until.ts';

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

const review = JSON.stringify({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: {
    uid: 'b8f3d8a0-8d3f-4a0e-9d0f-5b1c8a3f4e21',
    kind: { group: '', version: 'v1', kind: 'ConfigMap' },
    resource: { group: '', version: 'v1', resource: 'configmaps' },
    operation: 'CREATE',
    userInfo: { username: 'spec' },
    object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'spec' } },
  },
});

const callOnce = (host: string, port: number, ca: string, servername: string): Promise<string | null> =>
  new Promise((resolve) => {
    const call = request({
      host,
      port,
      path: '/validate',
      method: 'POST',
      agent: false,
      ca,
      servername,
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(review) },
    });
    call.setTimeout(scaled(10_000), () => call.destroy(new Error('no answer in time')));
    call.on('error', ({ message }) => resolve(message));
    call.on('response', (answer) => {
      void text(answer).then(
        (body) => resolve(answer.statusCode === 200 ? null : `HTTP ${answer.statusCode ?? 0} ${body}`),
        (error: unknown) => resolve(String(error)),
      );
    });
    call.end(review);
  });

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
