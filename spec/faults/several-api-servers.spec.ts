import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type Balancer, startBalancer } from '../support/balancer.ts';
import { type Creating, startCreating } from '../support/creating.ts';
import { install, type Installation, type SpecReplica } from '../support/installation.ts';
import { type MountedPair, pki } from '../support/pki.ts';
import { type RawApi, rawApi } from '../support/raw-api.ts';
import { type RealApi, startRealApi } from '../support/real-api.ts';
import { LOADED } from '../support/rotate-all.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

const HANDLER = fileURLToPath(new URL('../support/admitting-handler.ts', import.meta.url));
/** A question that is answered without etcd, so that the API server that lags calls the webhook as often as the others. */
const QUESTIONS = 'localsubjectaccessreviews';
const CREATED_QUESTIONS = [
  { apiGroups: ['authorization.k8s.io'], apiVersions: ['v1'], operations: ['CREATE'], resources: [QUESTIONS] },
];
/** What etcd tells the last of the three API servers comes so much later. */
const LAG_MS = 3_000;

interface Scene extends AsyncDisposable {
  readonly installation: Installation;
  readonly replicas: readonly SpecReplica[];
  /** By API server; the last one lags. */
  readonly creating: readonly Creating[];
  readonly announced: () => Promise<string>;
}

describe('three API servers on one etcd, of which one is three seconds behind', function () {
  this.timeout(400_000);
  const opened = new AsyncDisposableStack();
  let api: RealApi;
  const servers: RawApi[] = [];

  before(async () => {
    api = opened.use(await startRealApi());
    const link = opened.use(await startTcpProxy(api.etcdPort));
    servers.push(api.admin);
    for (const etcdPort of [api.etcdPort, link.port]) {
      const { url } = opened.use(await api.beside(etcdPort));
      servers.push(opened.use(rawApi({ url, caPem: api.caPem, token: api.adminToken })));
    }
    link.delay(LAG_MS);
  });
  after(() => opened.disposeAsync());

  /** Two replicas behind one address, whose webhook all three call all the time. */
  const scene = async (env: Readonly<Record<string, string>>, first: MountedPair | null = null): Promise<Scene> => {
    await using parts = new AsyncDisposableStack();
    const balancer: Balancer = parts.use(await startBalancer());
    const hooked = { hooked: String(balancer.port) };
    const installation = parts.use(
      await install(api, {
        kubeletDelayMs: 0,
        env: { EXTRA_DNS_NAMES: 'localhost', WEBHOOK_HANDLER: HANDLER, CA_OVERLAP: '1s', TRUST_SETTLE: '10s', ...env },
        webhook: {
          clientConfig: { url: `https://localhost:${balancer.port}/validate` },
          failurePolicy: 'Fail',
          rules: CREATED_QUESTIONS,
          namespaceSelector: { matchLabels: hooked },
        },
      }),
    );
    const { namespace } = installation;
    await api.admin.patch('merge', `/api/v1/namespaces/${namespace}`, { metadata: { labels: hooked } });
    if (first !== null) await writeSecret(installation, first);
    const replicas = [await installation.replica(), await installation.replica()];
    await Promise.all(replicas.map((replica) => replica.line(LOADED, {}, 120_000)));
    for (const replica of replicas) balancer.add(replica);
    const created = {
      path: `/apis/authorization.k8s.io/v1/namespaces/${namespace}/${QUESTIONS}`,
      object: {
        metadata: { namespace },
        spec: { user: 'nobody', resourceAttributes: { namespace, verb: 'get', resource: 'pods' } },
      },
    };
    const creating: Creating[] = [];
    for (const server of servers) {
      await until(async () => {
        const { status, headers } = await server.post(created.path, created.object);
        return status === 201 && headers.warning !== undefined;
      }, 60_000);
      creating.push(parts.use(startCreating({ api: server, namespace, callers: 3, pauseMs: 50, created })));
    }
    const everything = parts.move();
    return {
      installation,
      replicas,
      creating,
      announced: async () => (await installation.leaseAnnotation('cert-hash')) ?? '',
      [Symbol.asyncDispose]: () => everything.disposeAsync(),
    };
  };

  const writeSecret = async ({ paths }: Installation, pair: MountedPair): Promise<void> => {
    const { certificate, key, trust } = pair;
    const data = Object.fromEntries(
      Object.entries({ 'tls.crt': certificate, 'tls.key': key, 'ca.crt': trust }).map(([name, bytes]) => [
        name,
        bytes.toString('base64'),
      ]),
    );
    const name = paths.secret.split('/').at(-1) ?? '';
    const collection = paths.secret.slice(0, -name.length - 1);
    const created = await api.admin.post(collection, { metadata: { name }, type: 'kubernetes.io/tls', data });
    if (created.status === 201) return;
    const patched = await api.admin.patch('merge', paths.secret, { data });
    if (patched.status !== 200) throw new Error(patched.text);
  };

  /** Does something that brings another certificate, and goes on calling until the API server that lags has seen it all. */
  const changed = async ({ announced, replicas, creating }: Scene, change: () => Promise<unknown>): Promise<void> => {
    const before = await announced();
    await change();
    await until(async () => (await announced()) !== before, 120_000);
    const hash = await announced();
    await Promise.all(replicas.map((replica) => replica.line(LOADED, { hash }, 60_000)));
    const soFar = creating.map(({ creates }) => creates);
    const seenFromMs = performance.now() + 2 * LAG_MS;
    await until(
      () => performance.now() > seenFromMs && creating.every(({ creates }, at) => creates > soFar[at]! + 20),
      60_000,
    );
  };

  const failuresOf = ({ creating }: Scene): readonly number[] => creating.map(({ failures }) => failures.length);
  const expectUnharmed = (one: Scene): void => {
    const { creating } = one;
    console.log(`      calls by API server: ${creating.map(({ creates }) => creates).join(', ')}`);
    expect(creating.flatMap(({ failures }) => failures.slice(0, 1))).to.deep.equal([]);
  };
  const deleteCa = ({ installation }: Scene) => api.admin.delete(installation.paths.authority);
  const pairFor = ({ serverName }: { readonly serverName: string }) => pki.pair({ names: ['localhost', serverName] });

  it('is why SECRET-ca cannot be replaced at once: without time to settle, calls fail over the one that lags', async () => {
    await using one = await scene({ TRUST_SETTLE: '0' });
    await changed(one, () => deleteCa(one));
    const failures = failuresOf(one);
    console.log(`      failed calls by API server: ${failures.join(', ')}`);
    expect(failures.slice(0, 2)).to.deep.equal([0, 0]);
    expect(failures[2]).to.be.above(0);
  });

  it('see no call fail in a rotation of the leaf, of the CA, and when SECRET-ca is deleted', async () => {
    await using one = await scene({});
    const { installation } = one;
    await changed(one, () => installation.annotateLease({ rotate: 'leaf' }));
    await changed(one, () => installation.annotateLease({ rotate: 'ca' }));
    await changed(one, () => deleteCa(one));
    expectUnharmed(one);
  });

  it('see no call fail when an external issuer changes its CA', async () => {
    const names = { serverName: 'kubetemplater-webhook-service.any.svc' };
    await using one = await scene({ CERT_ISSUER: 'external' }, await pairFor(names));
    const next = await pairFor(names);
    await changed(one, () => writeSecret(one.installation, next));
    expectUnharmed(one);
  });
});
