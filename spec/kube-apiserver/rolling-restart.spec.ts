import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { ApiUnderTest } from '../support/api-under-test.ts';
import { startBalancer } from '../support/balancer.ts';
import { startCreating } from '../support/creating.ts';
import { install, type SpecReplica } from '../support/installation.ts';
import { startRealApi } from '../support/real-api.ts';
import { rollReplicas } from '../support/roll-replicas.ts';
import { until } from '../support/until.ts';

const HANDLER = fileURLToPath(new URL('../support/admitting-handler.ts', import.meta.url));
/** How long a Service takes to learn that one of its replicas is leaving. */
const PROPAGATION_MS = 1_000;

describe('a rolling restart under the real API server', function () {
  this.timeout(240_000);
  let api: ApiUnderTest;
  before(async () => {
    api = await startRealApi();
  });
  after(() => api[Symbol.asyncDispose]());

  it('of three replicas fails no create, although the Service is late to hear of each', async () => {
    await using balancer = await startBalancer(PROPAGATION_MS);
    const hooked = { hooked: String(balancer.port) };
    await using installation = await install(api, {
      env: { EXTRA_DNS_NAMES: 'localhost', WEBHOOK_HANDLER: HANDLER, SHUTDOWN_GRACE: '12s' },
      webhook: {
        clientConfig: { url: `https://localhost:${balancer.port}/validate` },
        failurePolicy: 'Fail',
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
        namespaceSelector: { matchLabels: hooked },
        timeoutSeconds: 20,
      },
    });
    const { namespace } = installation;
    await api.admin.patch('merge', `/api/v1/namespaces/${namespace}`, { metadata: { labels: hooked } });
    const replicas: SpecReplica[] = [];
    for (let started = 0; started < 3; started += 1) replicas.push(await installation.replica());
    for (const replica of replicas) {
      await replica.line('Ready', {}, 60_000);
      balancer.add(replica);
    }
    await sleep(PROPAGATION_MS + 500);
    const configMaps = `/api/v1/namespaces/${namespace}/configmaps?dryRun=All`;
    // The API server follows webhook configurations by a watch of its own.
    await until(async () => {
      const { status, headers } = await api.admin.post(configMaps, { metadata: { name: 'first' } });
      return status === 201 && headers.warning !== undefined;
    }, 40_000);

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
