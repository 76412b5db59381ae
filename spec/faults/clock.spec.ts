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
const HOUR_MS = 60 * MINUTE_MS;
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

  it('is an hour ahead in the leader deposes nobody, fails no call, and is no reason to wait for it once it is dead', async () => {
    await using clock = await openFakeClock(HOUR_MS);
    let isDead = false;
    await using scene = await faulted(api, { isCalled: ({ name }) => !(isDead && name === ahead.name) });
    const ahead = await scene.replica({ env: clock.env });
    const others = [await scene.replica(), await scene.replica()];
    expect(scene.leader()).to.equal(ahead);
    const hash = await scene.announced();
    await Promise.all(others.map((replica) => replica.line(LOADED, { hash }, 60_000)));
    const held = scene.objects().lease.versions.length;
    // Twice LEASE_DURATION.
    await sleep(18_000);
    for (const version of scene.objects().lease.versions.slice(held))
      expect(version.word('spec', 'holderIdentity')).to.equal(ahead.name);
    for (const replica of others) expect(replica.count('Leadership acquired')).to.equal(0);

    isDead = true;
    ahead.kill('SIGKILL');
    const sinceMs = performance.now();
    await until(() => scene.objects().holder() !== ahead.name, 30_000);
    recovered(sinceMs, 'succeeded');
    scene.expectUnharmed();
  });
});
