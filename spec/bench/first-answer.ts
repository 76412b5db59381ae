import { Agent, request } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { reviewText } from '../support/admission-review.ts';
import type { StartedProgram } from './start-program.ts';

export interface Endpoint {
  readonly port: number;
  readonly serverName: string;
  /** PEM; the only thing that is trusted. */
  readonly ca: string | Buffer;
}

const ask = ({ port, serverName: servername, ca }: Endpoint): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const body = reviewText();
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const agent = new Agent({ maxCachedSessions: 0 });
    const options = { host: '127.0.0.1', port, servername, ca, method: 'POST', path: '/?timeout=10s', headers, agent };
    request(options)
      .on('response', (answer) => {
        answer.resume();
        if (answer.statusCode === 200) resolve(true);
        else reject(new Error(`HTTP ${answer.statusCode ?? 0}`));
        agent.destroy();
      })
      .on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ECONNREFUSED' || error.code === 'ECONNRESET') resolve(false);
        else reject(error);
      })
      .end(body);
  });

/**
 * Resolves with a program's first answer to an AdmissionReview through a verified handshake; asks each millisecond till
 * then.
 */
export const firstAnswer = async (endpoint: Endpoint, program: StartedProgram, withinMs = 30_000): Promise<void> => {
  const endMs = performance.now() + withinMs;
  while (!(await ask(endpoint))) {
    if (performance.now() > endMs) throw new Error(`no answer within ${withinMs} ms\n${program.lastWords()}`);
    await delay(1);
  }
};
