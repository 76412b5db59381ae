import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect } from 'chai';
import { EMPTY, NEVER, type Observable } from 'rxjs';
import { startDaemon } from '../../src/daemon/daemon.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { parse } from '../config/parse.ts';

describe('a daemon', () => {
  it('asks nothing of the cluster when its probes cannot listen: it must not come to lead', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const parsed = parse({ HEALTH_PROBE_BIND_ADDRESS: `127.0.0.1:${port}`, WEBHOOK_HANDLER: 'builtin:allow' });
    if (!parsed.ok) throw new Error(parsed.problems.join());
    let asked = 0;
    const ask = (): Observable<never> => ((asked += 1), NEVER);
    const client: KubeClient = {
      server: 'https://nowhere',
      response$: EMPTY,
      connect: () => Promise.resolve(),
      send: ask,
      stream: ask,
      webSocket: () => Promise.reject(new Error('no WebSocket is expected')),
      clockSkewMs: () => null,
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
    const silent = () => undefined;
    const logger = { debug: silent, info: silent, warn: silent, error: silent };
    const surroundings = { client: () => Promise.resolve(client), logger, version: 'spec', directory: '.' };
    const problem = await startDaemon(parsed.config, surroundings).catch((error: unknown) => error);
    expect(problem).to.have.property('message').that.includes(`cannot listen on 127.0.0.1:${port}`);
    expect(asked).to.equal(0);
    taken.close();
  });
});
