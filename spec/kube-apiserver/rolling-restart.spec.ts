import { expect } from 'chai';
import type { ApiUnderTest } from '../support/api-under-test.ts';
import { startBalancer } from '../support/balancer.ts';
import { startCreating } from '../support/creating.ts';
import { installHooked, PROPAGATION_MS, untilAdmitted } from '../support/hooked.ts';
import type { SpecReplica } from '../support/installation.ts';
import { startRealApi } from '../support/real-api.ts';
import { rollReplicas } from '../support/roll-replicas.ts';
import { until } from '../support/until.ts';

describe('a rolling restart under the real API server', function () {
  this.timeout(240_000);
  let api: ApiUnderTest;
  before(async () => {
    api = await startRealApi();
  });
  after(() => api[Symbol.asyncDispose]());

  it('of three replicas fails no create, although the Service is late to hear of each', async () => {
    await using balancer = await startBalancer(PROPAGATION_MS);
    await using installation = await installHooked(api, balancer.port, {
      // New connections are taken for a quarter of it: five times as long as the news is on its way.
      env: { SHUTDOWN_GRACE: '20s' },
      webhook: { timeoutSeconds: 20 },
    });
    const { namespace } = installation;
    const replicas: SpecReplica[] = [];
    for (let started = 0; started < 3; started += 1) replicas.push(await installation.replica());
    for (const replica of replicas) {
      await replica.line('Ready', {}, 60_000);
      balancer.add(replica);
    }
    for (const replica of replicas) await balancer.heard(replica);
    await untilAdmitted(installation);

    await using creating = startCreating({ api: api.admin, namespace, callers: 12, pauseMs: 5 });
    const startMs = performance.now();
    await until(() => creating.admittedBy.size === 3);
    const before = creating.creates;
    await rollReplicas(replicas, balancer);
    expect(creating.creates, 'creates while they were restarted').to.be.above(before);
    await creating.answered(100);
    await creating[Symbol.asyncDispose]();
    const seconds = (performance.now() - startMs) / 1_000;
    const { creates, failures, slowestMs } = creating;
    const pace = `${(creates / seconds).toFixed(0)} a second, the slowest ${slowestMs.toFixed(0)} ms`;
    console.log(`      ${creates} creates in ${seconds.toFixed(1)} s, ${pace}, ${failures.length} failed`);
    expect(failures).to.deep.equal([]);
    expect(balancer.turnedAway).to.equal(0);
    expect(creates).to.be.above(100);
    expect(creating.admittedBy.size).to.equal(3);
  });
});
