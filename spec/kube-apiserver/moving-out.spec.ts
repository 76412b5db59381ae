import { dirname } from 'node:path';
import { expect } from 'chai';
import type { ApiUnderTest } from '../support/api-under-test.ts';
import { startBalancer } from '../support/balancer.ts';
import { startCreating } from '../support/creating.ts';
import { installHooked, untilAdmitted } from '../support/hooked.ts';
import type { SpecReplica } from '../support/installation.ts';
import { type OldWebhook, startOldWebhook } from '../support/old-webhook.ts';
import { layOut, originPair, ORIGINS, writeBundle } from '../support/origins.ts';
import { startRealApi } from '../support/real-api.ts';
import { until } from '../support/until.ts';
import { watchedObject } from '../support/watched-object.ts';

const REPLICAS = 2;

describe('a webhook that moves out under the real API server, which calls it all the time', function () {
  this.timeout(240_000);
  let api: ApiUnderTest;
  before(async () => {
    api = await startRealApi();
  });
  after(() => api[Symbol.asyncDispose]());

  it('to cert-manager fails no create: first its certificate, then its injection, then its Pods', async () => {
    await using opened = new AsyncDisposableStack();
    const balancer = opened.use(await startBalancer());
    const env = { CA_OVERLAP: '2s', SHUTDOWN_GRACE: '5s' };
    // A slow machine is no failed call.
    const webhook = { timeoutSeconds: 30 };
    const installation = opened.use(await installHooked(api, balancer.port, { env, webhook }));
    const { namespace, paths, serverName } = installation;
    const join = async (replica: SpecReplica): Promise<void> => {
      await replica.line('Ready', {}, 60_000);
      balancer.add(replica);
      await balancer.heard(replica);
    };
    const pods = `/api/v1/namespaces/${namespace}/pods`;
    const leave = async (replica: SpecReplica): Promise<void> => {
      replica.kill('SIGTERM');
      expect(await replica.exit).to.equal(0);
      await api.admin.delete(`${pods}/${replica.name}?gracePeriodSeconds=0`);
    };
    const selfSigned: SpecReplica[] = [];
    for (let started = 0; started < REPLICAS; started += 1) {
      const replica = await installation.replica();
      await join(replica);
      selfSigned.push(replica);
    }
    await untilAdmitted(installation);
    const target = opened.use(await watchedObject(api.admin, paths.target));
    const caBundle = (): string => target.current.text('webhooks', 0, 'clientConfig', 'caBundle');
    const creating = opened.use(startCreating({ api: api.admin, namespace, callers: 2, pauseMs: 20 }));

    // cert-manager writes its Secret; a rollout announces it, on a Lease of its own.
    const [certManager] = ORIGINS;
    if (certManager === undefined) throw new Error('cert-manager is the first origin');
    const [pair] = await originPair(serverName);
    const [secret] = Object.entries(certManager.secrets(pair, ''));
    const [secretName, body] = secret ?? ['', { type: '', data: {} }];
    await api.admin.post(dirname(paths.secret), { metadata: { name: secretName }, ...body });
    const names = { SECRET_NAME: secretName, LEASE_NAME: 'moving-out', CERT_ISSUER: 'external' };
    const besides = { env: { ...env, ...names }, beside: installation };
    const external = opened.use(await installHooked(api, balancer.port, besides));
    const announcing: SpecReplica[] = [];
    for (const leaving of selfSigned) {
      const replica = await external.replica();
      await join(replica);
      announcing.push(replica);
      await leave(leaving);
    }
    await until(() => caBundle() === pair.trust.toString(), 30_000);

    // cert-manager injects what is there already, and Pods without webhook-certd take over.
    await layOut({ ...certManager, secrets: () => ({}) }, installation, pair, '');
    await writeBundle(certManager, installation, pair.trust);
    const after: OldWebhook[] = [];
    for (const leaving of announcing) {
      const webhook = opened.use(await startOldWebhook(`after-${after.length}`, pair));
      balancer.add(webhook);
      after.push(webhook);
      await balancer.heard(webhook);
      await leave(leaving);
    }
    await until(() => after.every(({ name }) => creating.admittedBy.has(name)));
    await creating[Symbol.asyncDispose]();
    const { creates, failures, admittedBy } = creating;
    console.log(`      ${creates} creates, ${failures.length} failed`);
    expect(failures, 'failed creates').to.deep.equal([]);
    expect(admittedBy.size, 'who admitted').to.equal(3 * REPLICAS);
  });
});
