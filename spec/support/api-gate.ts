import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { makeServerIdentity } from '../../src/dev-cluster/api-server.ts';
import type { ApiUnderTest } from './api-under-test.ts';
import type { Json } from './raw-api.ts';

/** One request on its way from a daemon to the API server. */
export interface Passing {
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly body: Json;
}

export interface Gatekeeper {
  /** The request goes on when this resolves. */
  readonly asked?: (passing: Passing) => Promise<void> | void;
  /** The API server has answered; the daemon hears of it when this resolves. */
  readonly answered?: (passing: Passing, status: number) => Promise<void> | void;
}

/** Stands between one daemon and the API server, sees every request and may hold it, before and after it takes effect. */
export interface ApiGate extends AsyncDisposable {
  readonly url: string;
  readonly caPem: string;
  keeper: Gatekeeper;
}

/** Starts a gate that lets everything pass. */
export const startApiGate = async (api: ApiUnderTest): Promise<ApiGate> => {
  const { caPem, certificatePem, keyPem } = await makeServerIdentity();
  const agent = new Agent({ ca: api.caPem, keepAlive: true });
  const gate: { keeper: Gatekeeper } = { keeper: {} };

  const pass = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const { method = 'GET', url = '/', headers } = incoming;
    const bytes = await buffer(incoming);
    const body = bytes.length === 0 ? null : (JSON.parse(bytes.toString()) as Json);
    const passing: Passing = { method, path: new URL(url, api.url).pathname, body };
    await gate.keeper.asked?.(passing);
    const upstream = request(new URL(url, api.url), { agent, method, headers: { ...headers, host: 'localhost' } });
    outgoing.on('close', () => upstream.destroy());
    upstream.on('error', () => outgoing.destroy());
    upstream.end(bytes);
    const [answer] = (await once(upstream, 'response')) as [IncomingMessage];
    await gate.keeper.answered?.(passing, answer.statusCode ?? 0);
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    outgoing.flushHeaders();
    // Whichever side breaks takes the other with it.
    await pipeline(answer, outgoing);
  };
  const server = createServer({ cert: certificatePem, key: keyPem }, (incoming, outgoing) => {
    pass(incoming, outgoing).catch(() => outgoing.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    caPem,
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get keeper() {
      return gate.keeper;
    },
    set keeper(keeper) {
      gate.keeper = keeper;
    },
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      agent.destroy();
      await once(server, 'close');
    },
  };
};
