import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { reviewListener } from '../support/admitting-listener.ts';

/** A webhook over plain HTTP as somebody would write it in any language, with nothing of ours in it. */
export interface AdmittingUpstream extends AsyncDisposable {
  readonly url: string;
  /** Paths and queries that it was asked for. */
  readonly asked: readonly string[];
}

const patch = [{ op: 'add', path: '/automountServiceAccountToken', value: false }];

const verdict = (path: string, labels: object): object => {
  if (path === '/mutate')
    return { allowed: true, patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') };
  if (!('team' in labels)) return { allowed: false, status: { code: 422, message: 'missing labels: team' } };
  return 'cost-center' in labels
    ? { allowed: true }
    : { allowed: true, warnings: ['label cost-center will be required'] };
};

/** Starts it on a free loopback port: the same verdicts as the worked examples, as far as the spec looks. */
export const startAdmittingUpstream = async (): Promise<AdmittingUpstream> => {
  const asked: string[] = [];
  const answer = reviewListener((url, { object }) => {
    asked.push(url);
    return verdict(url.replace(/\?.*/, ''), object.metadata.labels ?? {});
  });
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    [Symbol.asyncDispose]: async () => {
      if (!server.listening) return;
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};
