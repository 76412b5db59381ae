import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { admittingListener } from './admitting-listener.ts';
import type { Balancer, Endpoint } from './balancer.ts';

/** A Pod of a webhook that has its certificate from elsewhere. */
export interface OldWebhook extends Endpoint, AsyncDisposable {
  readonly name: string;
  /** Becomes unready, answers what still arrives until the balancer sends nothing any more, and ends. */
  leave(balancer: Balancer): Promise<void>;
}

/** Serves a pair on a free loopback port, and admits with a warning that names it, each call on a connection of its own. */
export const startOldWebhook = async (
  name: string,
  { certificate, key }: { readonly certificate: Buffer; readonly key: Buffer },
): Promise<OldWebhook> => {
  let isReady = true;
  const admit = admittingListener(name);
  const server = createServer({ cert: certificate, key }, (request, response) => {
    response.setHeader('connection', 'close');
    admit(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const end = async (): Promise<void> => {
    isReady = false;
    if (!server.listening) return;
    server.close();
    await once(server, 'close');
  };
  const webhook: OldWebhook = {
    name,
    webhookPort: (server.address() as AddressInfo).port,
    probe: () => Promise.resolve({ code: isReady ? 200 : 503, text: '' }),
    leave: async (balancer) => {
      isReady = false;
      await balancer.left(webhook);
      await end();
    },
    [Symbol.asyncDispose]: end,
  };
  return webhook;
};
