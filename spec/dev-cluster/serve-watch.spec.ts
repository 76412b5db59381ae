import { once } from 'node:events';
import { createServer, get, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { ObjectStore } from '../../src/dev-cluster/object-store.ts';
import { resourceTypes } from '../../src/dev-cluster/resource-types.ts';
import { serveWatch } from '../../src/dev-cluster/serve-watch.ts';

const LEASES = resourceTypes.find(({ resource }) => resource === 'leases')!;

const lease = (name: string) => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name, namespace: 'default' },
});

describe('a watch of the development cluster', () => {
  it('writes nothing between the end of its response and its finish', async () => {
    const store = new ObjectStore();
    const errors: unknown[] = [];
    const types: string[] = [];
    const started = Promise.withResolvers<ServerResponse>();
    await using server = createServer((_, response) => {
      response.on('error', (error) => errors.push(error));
      const query = new URLSearchParams('allowWatchBookmarks=true');
      const request = {
        verb: 'watch',
        type: LEASES,
        namespace: 'default',
        name: null,
        subresource: null,
        query,
      } as const;
      serveWatch(store, request, response, { bookmarkIntervalMs: 5, onLine: (type) => types.push(type) });
      started.resolve(response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' }, (answer) =>
      answer.resume(),
    );
    client.on('error', () => undefined);
    const response = await started.promise;

    store.put(LEASES, lease('before'));
    // As under load: the response is ended, and its last bytes wait to be written.
    response.cork();
    response.end();
    const before = types.length;
    store.put(LEASES, lease('after'));
    await delay(50);
    expect(errors).to.deep.equal([]);
    expect(types).to.have.length(before);
    client.destroy();
    server.closeAllConnections();
  });

  for (const requested of ['2147484', '1e300', '0', '-1', 'soon'])
    it(`stays open when its client asks for timeoutSeconds=${requested}`, async () => {
      const ends: string[] = [];
      await using server = createServer((_, response) => {
        const query = new URLSearchParams({ timeoutSeconds: requested });
        const request = { verb: 'watch', type: LEASES, namespace: 'default', name: null, subresource: null } as const;
        serveWatch(new ObjectStore(), { ...request, query }, response, {
          bookmarkIntervalMs: 5,
          onLine: () => undefined,
        });
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const client = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' }, (answer) =>
        answer
          .on('end', () => ends.push(requested))
          .on('error', () => undefined)
          .resume(),
      );
      client.on('error', () => undefined);
      await once(client, 'response');
      await delay(50);
      expect(ends).to.deep.equal([]);
      client.destroy();
      server.closeAllConnections();
    });
});
