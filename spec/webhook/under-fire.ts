/**
 * A process with a host and a front, to be attacked and weighed: `faults.spec.ts` runs it with --expose-gc. Its times are
 * shorter than the real ones, yet longer than a handshake takes on a machine ten times overloaded: no other caller must be
 * taken for an attacker. How many connections it takes, and how large a body, is as in production.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdmission } from '../../src/webhook/admission.ts';
import type { ConnectionError } from '../../src/webhook/connection-errors.ts';
import { allow } from '../../src/webhook/handler-api.ts';
import { createWebhookServer } from '../../src/webhook/server.ts';
import { createUpstream } from '../../src/webhook/upstream.ts';
import type { TestPair } from '../support/pki.ts';

export interface UnderFire {
  readonly hostPort: number;
  readonly frontPort: number;
}

export interface Weight {
  readonly connections: number;
  /** After a collection: what JavaScript holds, buffers included. */
  readonly heapBytes: number;
  readonly residentBytes: number;
  /** One a line that would be logged. */
  readonly logged: readonly string[];
}

const limits = {
  handshakeTimeoutMs: 4_000,
  headersTimeoutMs: 3_000,
  requestTimeoutMs: 4_000,
  exchangeTimeoutMs: 20_000,
  quietMs: 50,
};
const maxRequestBytes = 7 * 1024 * 1024;
const logged: string[] = [];
// Of a mere hang-up the daemon speaks at debug only.
const onConnectionError = ({ kind, emit }: ConnectionError) => {
  if (emit && kind !== 'handshake-aborted') logged.push(kind);
};
const onRefused = (status: number) => void logged.push(`refused ${status}`);
const silent = () => undefined;
const log = { debug: silent, info: silent, warn: (message: string) => void logged.push(message), error: silent };

// An upstream that answers, unless it is asked not to.
const upstreamServer = createServer((request, response) => {
  request.resume();
  if (request.url?.startsWith('/never') !== true) request.once('end', () => response.end('{}'));
}).listen(0, '127.0.0.1');

process.once('message', (pair: TestPair) => {
  const url = `http://127.0.0.1:${(upstreamServer.address() as AddressInfo).port}`;
  const onFault = (status: number) => void logged.push(`upstream ${status}`);
  const upstream = createUpstream({
    upstream: { kind: 'http', url },
    timeoutMs: 5_000,
    maxRequestBytes,
    onFault,
    onRefused,
  });
  const host = createAdmission({ route: () => () => allow(), maxRequestBytes, log });
  const servers = [host, upstream.answer].map((answer) =>
    createWebhookServer({
      bind: { host: '127.0.0.1', port: 0 },
      tlsMinVersion: 'TLSv1.3',
      answer,
      limits,
      onConnectionError,
    }),
  );
  void Promise.all(servers.map((server) => server.serve(pair))).then(([one, other]) => {
    process.send?.({ hostPort: one?.port ?? 0, frontPort: other?.port ?? 0 } satisfies UnderFire);
    process.on('message', () => {
      globalThis.gc?.();
      const { heapUsed, external, rss } = process.memoryUsage();
      const connections = servers.reduce((sum, server) => sum + server.connections, 0);
      process.send?.({ connections, heapBytes: heapUsed + external, residentBytes: rss, logged } satisfies Weight);
    });
  });
});
process.once('disconnect', () => process.exit());
