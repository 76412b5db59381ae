import type { ConnectionError } from '../../src/webhook/connection-errors.ts';
import { createWebhookServer, type WebhookServer, type WebhookServerOptions } from '../../src/webhook/server.ts';
import { supportPair, type TestPair } from './pki.ts';

const made = await Promise.all([supportPair(), supportPair()]);

/** Two pairs of two authorities for one name, made once. */
export const pairs = (): readonly [TestPair, TestPair] => made;

export interface OpenServer extends AsyncDisposable {
  readonly server: WebhookServer;
  readonly port: number;
  readonly connectionErrors: ConnectionError[];
}

/** A webhook server on a free loopback port that serves the first pair and ends with the spec. */
export const openServer = async (options: Partial<WebhookServerOptions> = {}): Promise<OpenServer> => {
  const connectionErrors: ConnectionError[] = [];
  const server = createWebhookServer({
    bind: { host: '127.0.0.1', port: 0 },
    tlsMinVersion: 'TLSv1.3',
    answer: (_request, response) => response.end('ok'),
    onConnectionError: (connectionError) => connectionErrors.push(connectionError),
    ...options,
  });
  const { port } = await server.serve(pairs()[0]);
  return { server, port, connectionErrors, [Symbol.asyncDispose]: () => server.drain(0) };
};
