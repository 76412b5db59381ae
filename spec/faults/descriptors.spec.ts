import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import type { RealApi } from '../support/real-api.ts';
import { LOADED } from '../support/rotate-all.ts';
import { until } from '../support/until.ts';
import { faulted } from './faulted.ts';
import { recovered } from './recovered.ts';
import { sharedApi } from './shared-api.ts';

/** Node opens about thirty for itself, its listeners and the API server. */
const MOST_OPEN = 48;

/** Connections that never say anything; the server may refuse any of them. */
const flood = (port: number, count: number): Disposable => {
  const sockets = Array.from({ length: count }, (): Socket => connect(port, '127.0.0.1').on('error', () => undefined));
  return { [Symbol.dispose]: () => sockets.forEach((socket) => socket.destroy()) };
};

describe('no file descriptor left (EMFILE)', function () {
  this.timeout(180_000);
  let api: RealApi;
  before(async () => {
    api = await sharedApi();
  });

  it('costs newcomers their place and nothing else: what was missed meanwhile is caught up', async () => {
    let flooded = false;
    await using scene = await faulted(api, { env: { TICK_INTERVAL: '1s' }, isCalled: () => !flooded });
    const replica = await scene.replica({ within: ['prlimit', `--nofile=${MOST_OPEN}`] });
    const open = async () => (await readdir(`/proc/${replica.pid}/fd`)).length;
    const before = scene.objects().leaseAnnotation('cert-hash');
    scene.expectUnharmed();

    flooded = true;
    const crowd = flood(replica.webhookPort, 100);
    // Each of the places that are left, and the one that is kept to turn callers away with.
    await until(async () => (await open()) >= MOST_OPEN - 1, 10_000);
    // Somebody who comes now is hung up on, and does not wait for ever.
    const newcomer = connect(replica.webhookPort, '127.0.0.1');
    await Promise.race([once(newcomer, 'close'), once(newcomer, 'error')]);
    const hash = await scene.announced();
    expect(hash).to.not.equal(before);
    process.kill(replica.pid, 0);

    crowd[Symbol.dispose]();
    const sinceMs = performance.now();
    await replica.line(LOADED, { hash }, 60_000);
    recovered(sinceMs);
    await scene.converged();
    flooded = false;
    await scene.announced();
    await scene.converged();
    scene.expectUnharmed();
  });
});
