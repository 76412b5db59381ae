import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { ApiUnderTest } from '../support/api-under-test.ts';
import { startBalancer } from '../support/balancer.ts';
import { startCreating } from '../support/creating.ts';
import { installHooked, untilAdmitted } from '../support/hooked.ts';
import type { SpecReplica } from '../support/installation.ts';
import { startRealApi } from '../support/real-api.ts';
import { LOADED, rotateAll, settled } from '../support/rotate-all.ts';
import { standingObjects } from '../support/standing-objects.ts';
import { webhookTarget } from '../support/webhook-target.ts';

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

describe('two targets under the real API server, one of which may not be patched (L9)', function () {
  this.timeout(240_000);
  let api: ApiUnderTest;
  before(async () => {
    api = await startRealApi();
  });
  after(() => api[Symbol.asyncDispose]());

  it('do not disturb one another: the leaf is issued and renewed, the CA is rotated, and no create fails', async () => {
    await using balancer = await startBalancer();
    const refused = `refused-${randomBytes(4).toString('hex')}`;
    expect((await api.admin.post(webhookTarget.collection, webhookTarget.body(refused))).status).to.equal(201);
    await using installation = await installHooked(api, balancer.port, {
      env: { CA_OVERLAP: '1s' },
      otherTargets: [`validatingwebhookconfiguration/${refused}`],
      verbsOf: ({ verbs, names }) => (names.includes(refused) ? verbs.filter((verb) => verb !== 'patch') : verbs),
    });
    const { namespace } = installation;
    const replicas: SpecReplica[] = [await installation.replica(), await installation.replica()];
    await Promise.all(replicas.map((replica) => replica.line(LOADED, {}, 40_000)));
    for (const replica of replicas) balancer.add(replica);
    await untilAdmitted(installation);

    using objects = await standingObjects(installation);
    await using creating = startCreating({ api: api.admin, namespace, callers: 4, pauseMs: 20 });
    await rotateAll('leaf', installation, objects, { replicas, withinMs: 30_000 });
    await rotateAll('ca', installation, objects, { replicas, withinMs: 30_000 });
    await settled(objects, 30_000);
    await creating.answered(100);
    await creating[Symbol.asyncDispose]();
    console.log(`      ${creating.creates} creates, ${creating.failures.length} failed`);
    expect(creating.failures).to.deep.equal([]);

    // The reason is logged once, whoever leads.
    const about = replicas.flatMap(({ lines }) =>
      lines.filter(({ level, object }) => level === 'warn' && object !== undefined),
    );
    const lines = about.filter(({ object }) => String(object).includes(refused));
    expect(lines.map(({ message, status }) => [message, status])).to.deep.equal([
      ['Object refuses our write, setting it aside', 403],
    ]);

    // And `check` prints the command that helps.
    const [replica] = replicas;
    const checked = await run(process.execPath, [MAIN, 'check'], {
      env: {
        KUBECONFIG: replica!.kubeconfig,
        POD_NAMESPACE: namespace,
        CA_BUNDLE_TARGETS: `validatingwebhookconfiguration/${refused}`,
        PATH: process.env['PATH'] ?? '',
      },
    }).catch((error: unknown) => error as { readonly stdout: string });
    expect(checked.stdout)
      .to.include(refused)
      .and.match(/kubectl .*patch/);
  });
});
