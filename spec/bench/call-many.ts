import { Agent, request } from 'node:https';
import { reviewText } from '../support/admission-review.ts';
import type { Endpoint } from './first-answer.ts';

export interface Calls extends Endpoint {
  readonly calls: number;
  /** Each has one request on the way, all the time. */
  readonly callers: number;
}

export interface Called {
  readonly latenciesMs: readonly number[];
  /** Why each failed. None is tried again. */
  readonly failures: readonly string[];
}

/** A caller keeps its connection for so many calls, so that handshakes meet every certificate. */
const CALLS_A_CONNECTION = 20;

/** Calls a webhook as API servers do, each answer awaited by its caller, and notes everything but a 200. */
export const callMany = async ({ port, serverName, ca, calls, callers }: Calls): Promise<Called> => {
  const latenciesMs: number[] = [];
  const failures: string[] = [];
  const body = reviewText();
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const call = (agent: Agent): Promise<void> =>
    new Promise((resolve) => {
      const startMs = performance.now();
      const end = (failure: string | null): void => {
        if (failure !== null) failures.push(failure);
        latenciesMs.push(performance.now() - startMs);
        resolve();
      };
      const options = { host: '127.0.0.1', port, servername: serverName, ca, path: '/?timeout=10s', headers, agent };
      request({ ...options, method: 'POST' })
        .on('response', (answer) => {
          answer.resume().on('end', () => end(answer.statusCode === 200 ? null : `HTTP ${answer.statusCode ?? 0}`));
        })
        .on('error', ({ message }) => end(message))
        .end(body);
    });

  let begun = 0;
  const caller = async (): Promise<void> => {
    while (begun < calls) {
      const agent = new Agent({ keepAlive: true, maxSockets: 1, maxCachedSessions: 0 });
      for (let one = 0; one < CALLS_A_CONNECTION && begun < calls; one += 1) {
        begun += 1;
        await call(agent);
      }
      agent.destroy();
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return { latenciesMs, failures };
};
