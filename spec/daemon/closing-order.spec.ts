import { expect } from 'chai';
import { startDaemon } from '../../src/daemon/daemon.ts';
import type { TlsEndpoint } from '../../src/webhook/serving.ts';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/until.ts';
import { clusterOfOne, configured } from './cluster-of-one.ts';

describe('a daemon that stops', () => {
  it('releases the Lease and drains, then ends its streams, and closes the client last', async () => {
    const { happened, mayClose, line, dependencies } = clusterOfOne();
    const mayDrain = Promise.withResolvers<void>();
    const endpoint: TlsEndpoint = {
      serve: () => Promise.resolve(),
      retire: () => undefined,
      handshake: () => Promise.reject(new Error('no server')),
      drain: async () => {
        happened.push('drains');
        await mayDrain.promise;
        happened.push('drained');
      },
      address: null,
    };
    const daemon = await startDaemon(configured(), { ...dependencies, endpoint });
    daemon.certificate$.subscribe({ complete: () => happened.push('certificates complete') });
    await line('Leadership acquired');
    const stopped = daemon.stop();
    await until(() => happened.length >= 2);
    expect(happened.splice(0).toSorted()).to.deep.equal(['Lease released', 'drains']);
    mayDrain.resolve();
    await until(() => happened.includes('client closes'));
    expect(happened).to.deep.equal(['drained', 'certificates complete', 'Lease watch ended', 'client closes']);
    mayClose.resolve();
    await stopped;
  });

  it('answers the probes, draining, until all else is closed, and closes them last', async () => {
    const [probePort, metricsPort] = [await freePort(), await freePort()];
    const { happened, mayClose, dependencies } = clusterOfOne();
    const env = {
      HEALTH_PROBE_BIND_ADDRESS: `127.0.0.1:${probePort}`,
      METRICS_BIND_ADDRESS: `127.0.0.1:${metricsPort}`,
      LEADER_ELECTION: 'false',
    };
    const daemon = await startDaemon(configured(env), dependencies);
    const get = async (port: number, path: string) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } });
      return { status: response.status, lines: (await response.text()).split('\n') };
    };
    const stopped = daemon.stop();
    await until(() => happened.includes('client closes'));
    expect((await get(probePort, '/livez')).status).to.equal(200);
    const ready = await get(probePort, '/readyz');
    expect({ status: ready.status, first: ready.lines[0] }).to.deep.equal({ status: 503, first: 'draining' });
    expect((await get(metricsPort, '/metrics')).lines).to.include('webhook_certd_ready 0');
    mayClose.resolve();
    await stopped;
    for (const port of [probePort, metricsPort])
      expect(await get(port, '/livez').catch((error: unknown) => (error as Error).name)).to.equal('TypeError');
  });
});
