import { once } from 'node:events';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { kubeconfig, makeServerIdentity } from '../../src/dev-cluster/api-server.ts';
import type { ApiUnderTest } from '../support/api-under-test.ts';

export interface SkewedServer extends AsyncDisposable {
  kubeconfig(token: string): string;
}

/** The same API server with another clock: every Date it sends is off by this much. */
export const startSkewedServer = async (api: ApiUnderTest, skewMs: number): Promise<SkewedServer> => {
  const identity = await makeServerIdentity();
  const server = createServer({ cert: identity.certificatePem, key: identity.keyPem }, (incoming, outgoing) => {
    const { method, headers } = incoming;
    const onward = request(new URL(incoming.url ?? '/', api.url), { ca: api.caPem, method, headers });
    onward.on('response', (answer) => {
      const date = new Date(Date.now() + skewMs).toUTCString();
      outgoing.writeHead(answer.statusCode ?? 500, { ...answer.headers, date });
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    kubeconfig: (token) => kubeconfig({ url: `https://127.0.0.1:${port}`, caPem: identity.caPem, token }),
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
};
