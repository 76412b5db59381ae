import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { openFakeClock } from '../support/fake-clock.ts';
import type { RealApi } from '../support/real-api.ts';
import { LOADED } from '../support/rotate-all.ts';
import { until } from '../support/until.ts';
import { faulted } from './faulted.ts';
import { recovered } from './recovered.ts';
import { sharedApi } from './shared-api.ts';

const MINUTE_MS = 60_000;
const ISSUED = 'Certificate issued';

describe('a clock that', function () {
  this.timeout(240_000);
  let api: RealApi;
  before(async () => {
    api = await sharedApi();
  });

  it("is set forward past a leaf's renewal has it renewed at the next tick, and set back does nothing to it", async () => {
    await using clock = await openFakeClock();
    await using scene = await faulted(api, { env: { CERT_VALIDITY: '2h', RENEW_BEFORE: '75m' } });
    const replica = await scene.replica({ env: clock.env });
    const [before, issued] = [scene.objects().leaseAnnotation('cert-hash'), replica.count(ISSUED)];
    replica.mark();
    await clock.set(50 * MINUTE_MS);
    const sinceMs = performance.now();
    await until(() => scene.objects().leaseAnnotation('cert-hash') !== before, 30_000);
    await replica.line(LOADED, { hash: scene.objects().leaseAnnotation('cert-hash') }, 30_000);
    recovered(sinceMs, 'renewed');
    await scene.converged();

    await clock.set(0);
    await sleep(2_000);
    expect((await replica.probe('/readyz')).text).to.equal('ok');
    // Further back than an hour before the leaf was issued: to this clock it is not valid yet.
    await clock.set(-30 * MINUTE_MS);
    await replica.line('Not ready');
    await clock.set(0);
    const backMs = performance.now();
    await until(async () => (await replica.probe('/readyz')).text === 'ok', 30_000);
    recovered(backMs, 'ready again');
    expect(replica.count(ISSUED) - issued).to.equal(1);
    scene.expectUnharmed();
  });
});
