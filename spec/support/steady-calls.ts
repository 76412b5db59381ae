import { Agent, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

export interface SteadyOptions {
  readonly port: number;
  readonly serverName: string;
  /** PEM; the only thing that is trusted. */
  readonly ca: string;
  readonly body: string;
  readonly perSecond: number;
}

/** Calls that come when they are due, answered or not, over connections kept as net/http keeps them. */
export interface SteadyCalls extends AsyncDisposable {
  /** All that have ended. */
  readonly calls: number;
  readonly failures: readonly string[];
  readonly slowestMs: number;
  /** Answers that asked to be asked again. */
  readonly askedAgain: number;
}

const EVERY_MS = 20;

/**
 * Starts them; disposal waits for the last answer. Nothing is tried again but what client-go tries again when it posts: an
 * answer of 429 or 5xx with `Retry-After` (checkWait of its rest/request.go). A connection that merely ends is a failed call.
 */
export const startSteadyCalls = (options: SteadyOptions): SteadyCalls => {
  const { port, serverName: servername, ca, body, perSecond } = options;
  // As the API server's transport: any number at once, 25 kept, the one used last first.
  const agent = new Agent({
    keepAlive: true,
    maxFreeSockets: 25,
    scheduling: 'lifo',
    ca,
    servername,
    maxCachedSessions: 0,
  });
  const failures: string[] = [];
  let [pending, calls, slowestMs, askedAgain, isOver] = [0, 0, 0, 0, false];

  const call = (): void => {
    const startMs = performance.now();
    pending += 1;
    let hasEnded = false;
    // A connection that breaks under an answer fails both the request and the answer.
    const end = (failure: string | null): void => {
      if (hasEnded) return;
      hasEnded = true;
      pending -= 1;
      calls += 1;
      slowestMs = Math.max(slowestMs, performance.now() - startMs);
      if (failure !== null) failures.push(failure);
    };
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const ask = (): void => {
      const asked = request({ host: '127.0.0.1', port, path: '/validate?timeout=10s', method: 'POST', agent, headers });
      asked.setTimeout(10_000, () => asked.destroy(new Error('no answer within 10 s')));
      asked.once('error', ({ message }) => {
        end(message);
      });
      asked.once('response', (answer) => {
        const { statusCode: status = 0 } = answer;
        answer.resume().once('end', () => {
          if (status === 200) end(null);
          else if (status < 500 || answer.headers['retry-after'] !== '0') end(`HTTP ${status}`);
          else {
            askedAgain += 1;
            ask();
          }
        });
        answer.once('error', ({ message }) => {
          end(message);
        });
      });
      asked.end(body);
    };
    ask();
  };
  const calling = async (): Promise<void> => {
    const startMs = performance.now();
    for (let due = 0; !isOver;) {
      for (const elapsedMs = performance.now() - startMs; due < (elapsedMs / 1000) * perSecond; due += 1) call();
      await sleep(EVERY_MS);
    }
    while (pending > 0) await sleep(EVERY_MS);
  };
  const called = calling();
  return {
    get calls() {
      return calls;
    },
    get slowestMs() {
      return slowestMs;
    },
    get askedAgain() {
      return askedAgain;
    },
    failures,
    [Symbol.asyncDispose]: async () => {
      isOver = true;
      await called;
      agent.destroy();
    },
  };
};
