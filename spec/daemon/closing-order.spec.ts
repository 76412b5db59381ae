import { expect } from 'chai';
import { EMPTY, finalize, NEVER, type Observable, of, throwError } from 'rxjs';
import { startDaemon } from '../../src/daemon/daemon.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { ApiError } from '../../src/kube/errors.ts';
import type { KubeRequest } from '../../src/kube/request.ts';
import type { TlsEndpoint } from '../../src/webhook/serving.ts';
import { parse } from '../config/parse.ts';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/until.ts';

interface LeaseBody {
  readonly spec?: { readonly holderIdentity?: string };
}

describe('a daemon that stops', () => {
  /** A client of a cluster without Lease, whose first claim succeeds. It says what happens, and closes when it may. */
  const fixture = () => {
    const happened: string[] = [];
    const mayClose = Promise.withResolvers<void>();
    const mayDrain = Promise.withResolvers<void>();
    let version = 0;
    let spec: LeaseBody['spec'];
    const lease = () => ({ metadata: { name: 'lease', uid: 'u', resourceVersion: String(version) }, spec });
    const send = ({ method, path, body }: KubeRequest): Observable<unknown> => {
      if (!path.includes('/leases')) return method === 'GET' ? NEVER : EMPTY;
      if (method === 'GET' && path.endsWith('/leases')) return of({ metadata: { resourceVersion: '0' }, items: [] });
      if (method === 'GET' && version === 0) return throwError(() => new ApiError('not found', { status: 404 }));
      if (method === 'GET') return of(lease());
      version += 1;
      spec = { ...spec, ...(body as LeaseBody).spec };
      if (spec.holderIdentity === '') happened.push('Lease released');
      return of(lease());
    };
    const client: KubeClient = {
      server: 'https://nowhere',
      response$: EMPTY,
      connect: () => Promise.resolve(),
      send,
      stream: ({ path }) => NEVER.pipe(finalize(() => path.includes('/leases') && happened.push('Lease watch ended'))),
      webSocket: () => Promise.reject(new Error('not used')),
      clockSkewMs: () => null,
      [Symbol.asyncDispose]: () => {
        happened.push('client closes');
        return mayClose.promise;
      },
    };
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
    const acquired = Promise.withResolvers<void>();
    const log = (message: string): void => {
      if (message === 'Leadership acquired') acquired.resolve();
    };
    const dependencies = {
      client: () => Promise.resolve(client),
      logger: { debug: log, info: log, warn: log, error: log },
      version: 'spec',
      directory: '.',
    };
    return { happened, mayClose, mayDrain, endpoint, acquired: acquired.promise, dependencies };
  };
  const configured = (env: Readonly<Record<string, string>> = {}) => {
    const parsed = parse({ WEBHOOK_HANDLER: 'builtin:allow', CERT_DIR: '/nowhere', ...env });
    if (!parsed.ok) throw new Error(parsed.problems.join());
    return parsed.config;
  };

  it('releases the Lease and drains, then ends its streams, and closes the client last', async () => {
    const { happened, mayClose, mayDrain, endpoint, acquired, dependencies } = fixture();
    const daemon = await startDaemon(configured(), { ...dependencies, endpoint });
    daemon.certificate$.subscribe({ complete: () => happened.push('certificates complete') });
    await acquired;
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
    const { happened, mayClose, dependencies } = fixture();
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
