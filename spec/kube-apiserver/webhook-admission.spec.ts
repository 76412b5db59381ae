import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { ApiUnderTest } from '../support/api-under-test.ts';
import { freePort } from '../support/free-port.ts';
import { install, type Installation } from '../support/installation.ts';
import type { Json, RawAnswer } from '../support/raw-api.ts';
import { startRealApi } from '../support/real-api.ts';
import { until } from '../support/until.ts';
import { startAdmittingUpstream } from './admitting-upstream.ts';

const HANDLER = fileURLToPath(new URL('both-examples.ts', import.meta.url));
const MUTATING = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';

const created = (resource: string): Json => [
  { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: [resource] },
];

interface Hooked extends AsyncDisposable {
  readonly create: (resource: string, metadata: Json) => Promise<RawAnswer>;
}

describe('the real API server, asking a webhook', function () {
  this.timeout(120_000);
  let api: ApiUnderTest;
  before(async () => {
    api = await startRealApi();
  });
  after(() => api[Symbol.asyncDispose]());

  /** A replica that the API server must ask about ConfigMaps (/labels) and ServiceAccounts (/mutate). */
  const hook = async (env: Readonly<Record<string, string>>): Promise<Hooked> => {
    await using opened = new AsyncDisposableStack();
    const port = await freePort();
    const name = `mutating-${randomBytes(4).toString('hex')}`;
    const hooked = { hooked: String(port) };
    const webhook = (path: string, resource: string) => ({
      clientConfig: { url: `https://localhost:${port}${path}` },
      rules: created(resource),
      namespaceSelector: { matchLabels: hooked },
      timeoutSeconds: 5,
    });
    const installation: Installation = opened.use(
      await install(api, {
        env: { EXTRA_DNS_NAMES: 'localhost', ...env },
        webhook: webhook('/labels', 'configmaps'),
        otherTargets: [`mutatingwebhookconfiguration/${name}`],
      }),
    );
    const { namespace } = installation;
    const named = { name: 'mutating.webhook-certd.dev', admissionReviewVersions: ['v1'], sideEffects: 'None' };
    const mutating = { metadata: { name }, webhooks: [{ ...named, ...webhook('/mutate', 'serviceaccounts') }] };
    expect((await api.admin.post(MUTATING, mutating)).status).to.equal(201);
    opened.defer(async () => {
      await api.admin.delete(`${MUTATING}/${name}`);
    });
    await api.admin.patch('merge', `/api/v1/namespaces/${namespace}`, { metadata: { labels: hooked } });
    const replica = opened.use(await installation.replica({ env: { WEBHOOK_BIND_ADDRESS: `127.0.0.1:${port}` } }));
    await replica.line('Ready');
    const create: Hooked['create'] = (resource, metadata) =>
      api.admin.post(`/api/v1/namespaces/${namespace}/${resource}?dryRun=All`, { metadata });
    // The API server follows webhook configurations by a watch of its own.
    await until(async () => {
      const [labels, account] = [
        await create('configmaps', { name: 'a' }),
        await create('serviceaccounts', { name: 'a' }),
      ];
      return labels.status === 422 && account.at('automountServiceAccountToken') === false;
    }, 40_000);
    const everything = opened.move();
    return { create, [Symbol.asyncDispose]: () => everything.disposeAsync() };
  };

  const everyVerdict = async ({ create }: Hooked): Promise<void> => {
    const most = { 'app.kubernetes.io/name': 'one', team: 'blue' };
    const admitted = await create('configmaps', { name: 'a', labels: { ...most, 'cost-center': '7' } });
    expect([admitted.status, admitted.headers.warning]).to.deep.equal([201, undefined]);

    const warned = await create('configmaps', { name: 'a', labels: most });
    expect(warned.status).to.equal(201);
    expect(warned.headers.warning).to.match(/^299 - "label cost-center will be required/);

    const denied = await create('configmaps', { name: 'a' });
    expect(denied.status).to.equal(422);
    expect(denied.at('message')).to.match(/^admission webhook "first\..*" denied the request: missing labels: .*team$/);

    const mutated = await create('serviceaccounts', { name: 'a' });
    expect([mutated.status, mutated.at('automountServiceAccountToken')]).to.deep.equal([201, false]);
  };

  it('admits, warns, denies and mutates as a hosted handler says', async () => {
    await using hooked = await hook({ WEBHOOK_HANDLER: HANDLER });
    await everyVerdict(hooked);
  });

  it('admits, warns, denies and mutates as an upstream behind the front says, and tells it the deadline', async () => {
    await using upstream = await startAdmittingUpstream();
    await using hooked = await hook({ WEBHOOK_HANDLER: '', UPSTREAM_URL: upstream.url });
    await everyVerdict(hooked);
    expect(new Set(upstream.asked)).to.deep.equal(new Set(['/labels?timeout=5s', '/mutate?timeout=5s']));
  });

  it('reports to the caller that the upstream is unavailable', async () => {
    await using upstream = await startAdmittingUpstream();
    await using fronted = await hook({ WEBHOOK_HANDLER: '', UPSTREAM_URL: upstream.url });
    await upstream[Symbol.asyncDispose]();
    const gone = await fronted.create('configmaps', { name: 'a' });
    expect(gone.status).to.equal(500);
    expect(gone.at('message')).to.include('the server is currently unable to handle the request');
  });
});
