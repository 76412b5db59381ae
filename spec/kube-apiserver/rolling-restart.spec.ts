import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type { ApiUnderTest } from '../support/api-under-test.ts';
import { startBalancer } from '../support/balancer.ts';
import { startCreating } from '../support/creating.ts';
import { installHooked, PROPAGATION_MS, untilAdmitted } from '../support/hooked.ts';
import type { SpecReplica } from '../support/installation.ts';
import { startRealApi } from '../support/real-api.ts';
import { rollReplicas } from '../support/roll-replicas.ts';

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
      env: { SHUTDOWN_GRACE: '12s' },
      webhook: { timeoutSeconds: 20 },
    });
    const { namespace } = installation;
    const replicas: SpecReplica[] = [];
    for (let started = 0; started < 3; started += 1) replicas.push(await installation.replica());
    for (const replica of replicas) {
      await replica.line('Ready', {}, 60_000);
      balancer.add(replica);
    }
    await sleep(PROPAGATION_MS + 500);
    await untilAdmitted(installation);

    await using creating = startCreating({ api: api.admin, namespace, callers: 12, pauseMs: 5 });
    const startMs = performance.now();
    await sleep(2_000);
    await rollReplicas(replicas, balancer, PROPAGATION_MS);
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
