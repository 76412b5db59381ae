import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { watchSeconds } from '../../src/kube/watch-objects.ts';
import { fleetInstallation, startFleet } from '../bench/fleet-cluster.ts';
import { startEnvtest } from '../support/envtest.ts';
import { followOverHttp } from '../support/follow-over-http.ts';
import { type RawApi, rawApi } from '../support/raw-api.ts';
import { requestTotals } from '../support/request-totals.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';

const REPLICAS = 100;
const MARK_PER_MINUTE = 8;
const RESOURCES = ['leases', 'secrets', 'pods', 'events', 'validatingwebhookconfigurations'];
/** The leader's, beside the Lease: two Secrets, Pods, one target. */
const LEADER_WATCHES = 4;
/** Replicas never PUT a Lease. Since Kubernetes 1.26 the API server itself does, to renew its identity Lease. */
const NOT_OURS = 'PUT leases';

/** Waits until the totals without renewals are equal twice, 10 s apart: every replica has acknowledged by then. */
const settled = async (admin: RawApi): Promise<void> => {
  const others = async () => {
    const { answered } = await requestTotals(admin, RESOURCES);
    return JSON.stringify([...answered].filter(([what]) => what !== 'PATCH leases' && what !== NOT_OURS));
  };
  let before = await others();
  await until(async () => {
    await delay(10_000);
    const now = await others();
    const isSettled = now === before;
    before = now;
    return isSettled;
  }, 80_000);
};

describe(`${REPLICAS} replicas with nothing to do, as kube-apiserver counts them`, function () {
  this.timeout(300_000);
  const opened = new AsyncDisposableStack();
  after(() => opened.disposeAsync());

  it('cost the renewals of one leader and a watch each', async () => {
    const { url, port, caPem, adminToken } = opened.use(await startEnvtest());
    const admin = opened.use(rawApi({ url, caPem, token: adminToken }));
    const fleet = opened.use(startFleet());
    const place = { port, caPem, admin, follow: followOverHttp(admin), token: adminToken, replicas: REPLICAS };
    const folder = opened.use(await temporaryDirectory()).path;
    await fleet.add(opened.use(await fleetInstallation({ ...place, folder, namespace: 'fleet' })));
    await settled(admin);

    const before = await requestTotals(admin, RESOURCES);
    const startMs = performance.now();
    await delay(60_000);
    const after = await requestTotals(admin, RESOURCES);
    const minutes = (performance.now() - startMs) / 60_000;
    const asked = [...after.answered].flatMap(([what, count]): [string, number][] => {
      const times = count - (before.answered.get(what) ?? 0);
      return times === 0 || what === NOT_OURS || what.startsWith('WATCH') ? [] : [[what, times]];
    });

    expect(asked.map(([what]) => what)).to.deep.equal(['PATCH leases']);
    const renewals = asked[0]![1];
    // By arithmetic: a watch outlives this spec many times.
    const lives = Array.from({ length: 10_000 }, watchSeconds);
    const reopened = ((REPLICAS + LEADER_WATCHES) * 60 * lives.length) / lives.reduce((sum, life) => sum + life, 0);
    expect(renewals / minutes + reopened).to.be.at.most(MARK_PER_MINUTE);
    expect(after.watches.get('leases'), 'none was opened again').to.equal(before.watches.get('leases'));
    expect(after.watches.get('leases')).to.be.at.least(REPLICAS);
    const told = (after.events.get('Lease') ?? 0) - (before.events.get('Lease') ?? 0);
    expect(told, 'one event a renewal and replica').to.be.at.most((renewals + 1) * (REPLICAS + 5));
  });
});
