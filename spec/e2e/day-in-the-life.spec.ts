import { expect } from 'chai';
import { until } from '../support/until.ts';
import { ADOPTED_MS, adoptions, another, get, LEASE, readyReplicas, restarted, rotate, SYSTEM } from './cluster.ts';
import { dayOf, image } from './day.ts';
import { kubectl } from './kubectl.ts';
import { renderedManifests } from './rendered-manifests.ts';

const SECRET = 'webhook-certd-cert';
const TARGET = 'validatingwebhookconfiguration/webhook-certd.webhook-certd';
const CLIENTS = 'webhook-certd-e2e';
const READY_MS = 20_000;

describe('a day in its life on a real cluster', () => {
  const manifests = (): Promise<string> => renderedManifests(image, { CA_OVERLAP: '5s', TRUST_SETTLE: '5s' });
  const day = dayOf(CLIENTS, manifests);

  it(`has two replicas ready within ${READY_MS / 1000} s of kubectl apply, from nothing`, async () => {
    const applied = await manifests();
    const startedMs = performance.now();
    await kubectl(['apply', '-f', '-'], applied);
    await until(async () => (await readyReplicas()) === 2, 60_000);
    const tookMs = performance.now() - startedMs;
    process.stdout.write(`      ready after ${Math.round(tookMs)} ms\n`);
    expect(tookMs).to.be.below(READY_MS);
    await day.begin();
  });

  for (const what of ['leaf', 'ca'] as const)
    it(`rotates its ${what} without a failed create, adopted within a second of the announcement`, async () => {
      const took = await adoptions(await another(rotate(what)));
      process.stdout.write(`      adopted after ${took.join(' and ')} ms\n`);
      expect(took).to.have.length(2);
      expect(Math.max(...took)).to.be.below(ADOPTED_MS);
      expect(day.creates.failures).to.deep.equal([]);
    });

  it('restarts by kubectl rollout restart without a failed create', async () => {
    await restarted();
    expect(day.creates.failures).to.deep.equal([]);
  });

  it('loses its leader without grace, and no create', async () => {
    const leader = await get(['lease', LEASE], '{.spec.holderIdentity}');
    await kubectl([...SYSTEM, 'delete', 'pod', leader, '--grace-period=0', '--force']);
    await until(async () => (await readyReplicas()) === 2, 120_000);
  });

  it('has a deleted Secret issued again without a failed create', async () => {
    const before = day.creates.failures.length;
    await another(() => kubectl([...SYSTEM, 'delete', 'secret', SECRET]));
    expect(day.creates.failures).to.have.length(before);
  });

  it('mends a wiped caBundle within a second', async () => {
    const patch = JSON.stringify([{ op: 'remove', path: '/webhooks/0/clientConfig/caBundle' }]);
    const wipedMs = performance.now();
    await kubectl(['patch', ...TARGET.split('/'), '--type=json', '-p', patch]);
    await until(
      async () =>
        (await kubectl(['get', ...TARGET.split('/'), '-o', 'jsonpath={.webhooks[0].clientConfig.caBundle}'])) !== '',
    );
    expect(performance.now() - wipedMs).to.be.below(2_000);
  });
});
