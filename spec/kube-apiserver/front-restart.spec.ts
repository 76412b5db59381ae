import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { admittingListener } from '../support/admitting-listener.ts';
import type { ApiUnderTest } from '../support/api-under-test.ts';
import { startBalancer } from '../support/balancer.ts';
import { startCreating } from '../support/creating.ts';
import { installHooked, PROPAGATION_MS, untilAdmitted } from '../support/hooked.ts';
import type { SpecReplica } from '../support/installation.ts';
import { startRealApi } from '../support/real-api.ts';
import { until } from '../support/until.ts';

const CALLERS = 48;
/** After each restart, so that more than a thousand creates meet all three. */
const CREATES = 334;

/** The application of one Pod: plain HTTP, and gone at once when it is asked to leave. */
interface App {
  readonly port: number;
  leave(): void;
  comeBack(): Promise<void>;
}

const startApp = async (name: string): Promise<App> => {
  const listen = async (at: number): Promise<Server> => {
    const server = createServer(admittingListener(name)).listen(at, '127.0.0.1');
    await once(server, 'listening');
    return server;
  };
  let server = await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    leave: () => {
      server.close();
      server.closeAllConnections();
    },
    comeBack: async () => {
      server = await listen(port);
    },
  };
};

describe('a rolling restart of fronts whose application ends at once on SIGTERM', function () {
  this.timeout(300_000);
  let api: ApiUnderTest;
  before(async () => {
    api = await startRealApi();
  });
  after(() => api[Symbol.asyncDispose]());

  it('fails no create: each refused call carries Retry-After, and the API server asks another replica', async () => {
    await using balancer = await startBalancer(PROPAGATION_MS);
    await using installation = await installHooked(api, balancer.port, {
      env: {
        WEBHOOK_HANDLER: '',
        UPSTREAM_URL: 'http://127.0.0.1:1',
        // New connections are taken for a quarter of it: five times as long as the news is on its way.
        SHUTDOWN_GRACE: '20s',
      },
      webhook: { timeoutSeconds: 20 },
    });
    const { namespace } = installation;
    const pods: { readonly app: App; readonly replica: SpecReplica }[] = [];
    for (const name of ['app-0', 'app-1', 'app-2']) {
      const app = await startApp(name);
      const replica = await installation.replica({ env: { UPSTREAM_URL: `http://127.0.0.1:${app.port}` } });
      pods.push({ app, replica });
    }
    for (const { replica } of pods) {
      await replica.line('Ready', {}, 60_000);
      balancer.add(replica);
    }
    for (const { replica } of pods) await balancer.heard(replica);
    await untilAdmitted(installation);

    await using creating = startCreating({ api: api.admin, namespace, callers: CALLERS, pauseMs: 5 });
    const startMs = performance.now();
    await until(() => creating.admittedBy.size === 3);
    for (const { app, replica } of pods) {
      const before = creating.creates;
      // The kubelet signals all containers of a Pod at once.
      replica.kill('SIGTERM');
      app.leave();
      expect(await replica.exit).to.equal(0);
      expect(creating.creates, 'creates while it was leaving').to.be.above(before);
      await app.comeBack();
      const next = replica.again();
      balancer.add(next);
      await next.line('Ready', {}, 60_000);
      await balancer.heard(next);
      await creating.answered(CREATES);
    }
    await creating[Symbol.asyncDispose]();
    for (const { app } of pods) app.leave();
    const seconds = (performance.now() - startMs) / 1_000;
    const { creates, failures, slowestMs } = creating;
    console.log(
      `      ${creates} creates in ${seconds.toFixed(1)} s, ${(creates / seconds).toFixed(0)} a second, ` +
        `the slowest ${slowestMs.toFixed(0)} ms, ${failures.length} failed`,
    );
    expect([...new Set(failures)]).to.deep.equal([]);
    expect(creates).to.be.above(1_000);
    expect(creating.admittedBy.size).to.equal(3);
  });
});
