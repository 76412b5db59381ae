import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Endpoint } from './balancer.ts';

/** A Pod of a webhook that has its certificate from elsewhere. */
export interface OldWebhook extends Endpoint, AsyncDisposable {
  readonly name: string;
  /** Becomes unready, answers what still arrives, and ends. */
  leave(): Promise<void>;
}

interface Review {
  readonly apiVersion: string;
  readonly request: { readonly uid: string };
}

/** Longer than a balancer needs to hear of it. */
const LEAVING_MS = 500;

/** Serves a pair on a free loopback port, and admits with a warning that names it, each call on a connection of its own. */
export const startOldWebhook = async (
  name: string,
  { certificate, key }: { readonly certificate: Buffer; readonly key: Buffer },
): Promise<OldWebhook> => {
  let isReady = true;
  const server = createServer({ cert: certificate, key }, (request, response) => {
    void json(request).then((review) => {
      const { apiVersion, request: asked } = review as Review;
      const answer = { uid: asked.uid, allowed: true, warnings: [`admitted by ${name}`] };
      response.setHeader('connection', 'close').setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ apiVersion, kind: 'AdmissionReview', response: answer }));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const end = async (): Promise<void> => {
    isReady = false;
    if (!server.listening) return;
    server.close();
    await once(server, 'close');
  };
  return {
    name,
    webhookPort: (server.address() as AddressInfo).port,
    probe: () => Promise.resolve({ code: isReady ? 200 : 503, text: '' }),
    leave: async () => {
      isReady = false;
      await sleep(LEAVING_MS);
      await end();
    },
    [Symbol.asyncDispose]: end,
  };
};
