import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'node:tls';
import { reviewText } from '../support/admission-review.ts';
import type { MountedPair } from '../support/pki.ts';
import type { StartedProgram } from './programs.ts';

/**
 * Measures several things A B A B …, so that a machine that slows down or speeds up meanwhile does so for all of them.
 * A first round, in which caches fill, does not count. What is undefined cannot be measured here and yields nothing.
 */
export const alternately = async <Name extends string>(
  rounds: number,
  measured: Readonly<Record<Name, (() => Promise<number>) | undefined>>,
): Promise<Readonly<Record<Name, readonly number[]>>> => {
  const names = Object.keys(measured) as Name[];
  const values = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = 0; round <= rounds; round += 1) {
    for (const name of names) {
      const value = await measured[name]?.();
      if (round > 0 && value !== undefined) values[name].push(value);
    }
  }
  return values;
};

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

/** The certificate that a fresh verified handshake shows. */
const shown = async ({ port, serverName: servername, ca }: Endpoint): Promise<Buffer> => {
  const socket = connect({ host: '127.0.0.1', port, servername, ca });
  await once(socket, 'secureConnect');
  const { raw } = socket.getPeerCertificate();
  socket.destroy();
  return raw;
};

/** Shakes hands, one after the other, until this certificate is shown. Every handshake must verify. */
export const newHandshake = async (endpoint: Endpoint, { certificate }: MountedPair): Promise<void> => {
  const { raw: wanted } = new X509Certificate(certificate);
  const endMs = performance.now() + 30_000;
  while (!(await shown(endpoint)).equals(wanted)) {
    if (performance.now() > endMs) throw new Error(`port ${endpoint.port} does not take up the new certificate`);
  }
};

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
