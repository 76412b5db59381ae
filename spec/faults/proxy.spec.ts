import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { type FaultyProxy, type NetworkFault, startFaultyProxy } from '../support/faulty-proxy.ts';
import type { SpecReplica } from '../support/installation.ts';
import type { RealApi } from '../support/real-api.ts';
import { LOADED } from '../support/rotate-all.ts';
import { until } from '../support/until.ts';
import { type Faulted, faulted } from './faulted.ts';
import { recovered } from './recovered.ts';
import { sharedApi } from './shared-api.ts';

describe('a network to the API server that', function () {
  this.timeout(240_000);
  const opened = new AsyncDisposableStack();
  const replicas: SpecReplica[] = [];
  let api: RealApi;
  let proxy: FaultyProxy;
  let scene: Faulted;

  before(async () => {
    api = await sharedApi();
    proxy = opened.use(await startFaultyProxy(Number(new URL(api.url).port)));
    scene = opened.use(await faulted(api));
    const via = { url: `https://127.0.0.1:${proxy.port}`, caPem: api.caPem };
    replicas.push(await scene.replica({ via }), await scene.replica({ via }));
  });
  after(() => opened.disposeAsync());
  afterEach(() => (proxy.fault = null));

  const befall = async (fault: NetworkFault): Promise<void> => {
    await scene.converged();
    for (const replica of replicas) replica.mark();
    proxy.fault = fault;
  };
  /** The network is well again, after a rotation was asked for meanwhile. */
  const recovers = async (): Promise<void> => {
    for (const replica of replicas) expect((await replica.probe('/readyz')).text).to.equal('ok');
    const before = scene.objects().leaseAnnotation('cert-hash');
    await scene.installation.annotateLease({ rotate: 'leaf' });
    proxy.fault = null;
    const sinceMs = performance.now();
    await until(() => scene.objects().leaseAnnotation('cert-hash') !== before, 60_000);
    await scene.converged();
    recovered(sinceMs);
    scene.expectUnharmed();
  };

  for (const [fault, why] of Object.entries({
    cut: /ECONNRESET/,
    'half-close': /ECONNRESET|socket hang up/,
    corrupt: /bad.record.mac/i,
  }))
    it(`${fault}s it: each says so, serves on, and catches up`, async () => {
      await befall(fault as NetworkFault);
      for (const replica of replicas) {
        const { error } = await replica.line('Watch creation failed', { object: undefined }, 30_000);
        expect(error).to.match(why);
      }
      await sleep(3_000);
      await recovers();
    });

  it('stalls: the silent watch is replaced', async () => {
    await befall('stall');
    for (const replica of replicas)
      await replica.line('Lease watch closed, restarting watch', { reason: 'silent' }, 30_000);
    await sleep(3_000);
    await recovers();
  });

  it('carries 2 kB a second: everything goes on, slowly', async () => {
    await befall('throttle');
    const sinceMs = performance.now();
    const hash = await scene.announced();
    await Promise.all(replicas.map((replica) => replica.line(LOADED, { hash }, 60_000)));
    recovered(sinceMs, 'rotated');
    await recovers();
  });
});
