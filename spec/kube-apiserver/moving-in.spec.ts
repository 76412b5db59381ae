import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type { ApiUnderTest } from '../support/api-under-test.ts';
import { startBalancer } from '../support/balancer.ts';
import { startCreating } from '../support/creating.ts';
import { installHooked, untilAdmitted } from '../support/hooked.ts';
import type { Installation } from '../support/installation.ts';
import { startOldWebhook } from '../support/old-webhook.ts';
import { injecting, layOut, type Origin, originPair, ORIGINS, secretNames } from '../support/origins.ts';
import type { Json } from '../support/raw-api.ts';
import { startRealApi } from '../support/real-api.ts';
import { rotateAll, settled } from '../support/rotate-all.ts';
import { certificatesIn, standingObjects } from '../support/standing-objects.ts';

const REPLICAS = 2;

/** Names of its own, as docs/guides/moving-in.md advises: nothing of the origin is written. */
const OWN_NAMES = { SECRET_NAME: 'webhook-certd-cert', LEASE_NAME: 'webhook-certd' };

describe('a webhook that moves in under the real API server, which calls it all the time', function () {
  this.timeout(240_000);
  let api: ApiUnderTest;
  before(async () => {
    api = await startRealApi();
  });
  after(() => api[Symbol.asyncDispose]());

  const moveIn = async (origin: Origin): Promise<void> => {
    await using opened = new AsyncDisposableStack();
    const balancer = opened.use(await startBalancer());
    // A slow machine is no failed call.
    const webhook = { timeoutSeconds: 30 };
    const env = { ...OWN_NAMES, CA_OVERLAP: '2s' };
    const installation = opened.use(await installHooked(api, balancer.port, { env, webhook }));
    const { namespace, paths, serverName } = installation;

    // The old webhook: two Pods of the same labels, and what its origin has left in the cluster.
    const [pair, caKey] = await originPair(serverName);
    await layOut(origin, installation, pair, caKey);
    const pods = `/api/v1/namespaces/${namespace}/pods`;
    const old = [];
    for (let started = 0; started < REPLICAS; started += 1) {
      const webhook = opened.use(await startOldWebhook(`old-${started}`, pair));
      const labels = { 'app.kubernetes.io/name': 'kubetemplater' };
      const spec = {
        nodeName: 'node',
        automountServiceAccountToken: false,
        containers: [{ name: 'webhook', image: 'none' }],
      };
      await api.admin.post(pods, { metadata: { name: webhook.name, labels }, spec });
      balancer.add(webhook);
      old.push(webhook);
    }
    await untilAdmitted(installation);
    const injector = opened.use(injecting(origin, installation, pair.trust));
    const before = await leftBy(installation, origin);
    const creating = opened.use(startCreating({ api: api.admin, namespace, callers: 2, pauseMs: 20 }));
    await creating.answered(10);

    // The guide: stop the injection, then roll out.
    await origin.stop?.(installation);
    injector.stop();
    const replicas = [];
    for (const leaving of old) {
      const replica = await installation.replica({ nudgeDelayMs: 20 });
      replicas.push(replica);
      await replica.line('Ready', {}, 60_000);
      balancer.add(replica);
      await balancer.heard(replica);
      if (leaving === old.at(-1)) break;
      await leaving.leave(balancer);
      await api.admin.delete(`${pods}/${leaving.name}?gracePeriodSeconds=0`);
    }
    const objects = opened.use(await standingObjects(installation));
    // Longer than CA_OVERLAP: an old Pod has not acknowledged anything, so that its CA stays trusted.
    await sleep(3_000);
    expect(certificatesIn(objects.caBundle()), 'CAs while an old Pod is there').to.equal(2);
    const last = old.at(-1);
    await last?.leave(balancer);
    await api.admin.delete(`${pods}/${last?.name ?? ''}?gracePeriodSeconds=0`);
    await settled(objects, 30_000);
    expect(await leftBy(installation, origin), 'what the origin left').to.deep.equal(before);

    // Cleaning up, and life afterwards.
    for (const name of secretNames(origin)) await api.admin.delete(`${dirname(paths.secret)}/${name}`);
    await rotateAll('ca', installation, objects, { replicas, withinMs: 30_000 });
    await settled(objects, 30_000);

    await creating[Symbol.asyncDispose]();
    const { creates, failures, admittedBy } = creating;
    console.log(`      ${origin.name}: ${creates} creates, ${failures.length} failed`);
    expect(failures, 'failed creates').to.deep.equal([]);
    expect([...admittedBy.keys()].toSorted()).to.deep.equal(
      [...old, ...replicas].map(({ name }) => name).toSorted(),
      'who admitted',
    );
    expect(replicas.flatMap(({ lines }) => lines.filter(({ level }) => level === 'error'))).to.deep.equal([]);
  };

  /** The bytes of the origin's Secrets. */
  const leftBy = async ({ paths }: Installation, origin: Origin): Promise<readonly (Json | undefined)[]> => {
    const read = secretNames(origin).map(async (name) =>
      (await api.admin.get(`${dirname(paths.secret)}/${name}`)).at('data'),
    );
    return Promise.all(read);
  };

  for (const origin of ORIGINS) it(`from ${origin.name} fails no create`, () => moveIn(origin));
});
