import { expect } from 'chai';
import { reviewText } from '../support/admission-review.ts';
import { type ApiUnderTest, startApiUnderTest } from '../support/api-under-test.ts';
import { startBalancer } from '../support/balancer.ts';
import { PROPAGATION_MS } from '../support/hooked.ts';
import { install } from '../support/installation.ts';
import { rollReplicas } from '../support/roll-replicas.ts';
import { standingObjects } from '../support/standing-objects.ts';
import { startSteadyCalls } from '../support/steady-calls.ts';

const PER_SECOND = 500;

describe('a rolling restart', function () {
  this.timeout(180_000);
  let api: ApiUnderTest;
  before(async () => {
    api = await startApiUnderTest();
  });
  after(() => api[Symbol.asyncDispose]());

  it('of three replicas fails none of 500 calls a second, although the Service is late to hear of each', async () => {
    // New connections are taken for a quarter of it: twice as long as the news is on its way.
    await using installation = await install(api, { env: { SHUTDOWN_GRACE: '8s' } });
    await using balancer = await startBalancer(PROPAGATION_MS);
    const { serverName } = installation;
    const replicas = [await installation.replica(), await installation.replica(), await installation.replica()];
    for (const replica of replicas) {
      await replica.line('Ready', {}, 60_000);
      balancer.add(replica);
    }
    using objects = await standingObjects(installation);
    for (const replica of replicas) await balancer.heard(replica);

    await using calling = startSteadyCalls({
      port: balancer.port,
      serverName,
      ca: objects.caBundle(),
      body: reviewText(),
      perSecond: PER_SECOND,
    });
    const startMs = performance.now();
    await rollReplicas(replicas, balancer);
    const elapsedS = (performance.now() - startMs) / 1000;
    await calling[Symbol.asyncDispose]();

    expect(calling.failures).to.deep.equal([]);
    expect(balancer.turnedAway).to.equal(0);
    expect(calling.slowestMs).to.be.below(10_000);
    expect(calling.calls).to.be.above(PER_SECOND * elapsedS * 0.95);
  });
});
