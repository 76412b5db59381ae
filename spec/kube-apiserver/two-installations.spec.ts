import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { kubeconfig } from '../../src/dev-cluster/api-server.ts';
import type { Manifest } from '../../src/manifests/installation.ts';
import { type Balancer, startBalancer } from '../support/balancer.ts';
import { type Creating, startCreating } from '../support/creating.ts';
import { TRUST_SETTLE } from '../support/hooked.ts';
import { install, type Installation, type SpecReplica } from '../support/installation.ts';
import { knownKinds, listOf } from '../support/known-kinds.ts';
import { type Kubectl, kubectlFor } from '../support/kubectl-for.ts';
import type { Json } from '../support/raw-api.ts';
import { type RealApi, startRealApi } from '../support/real-api.ts';
import { LOADED, rotateAll, settled } from '../support/rotate-all.ts';
import { certificatesIn, type StandingObjects, standingObjects } from '../support/standing-objects.ts';
import { until } from '../support/until.ts';
import { manifestsOf } from '../support/write-manifests.ts';

const HANDLER = fileURLToPath(new URL('../support/admitting-handler.ts', import.meta.url));
const ADMISSION = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';

interface Installed {
  readonly name: string;
  readonly printed: readonly Manifest[];
  readonly installation: Installation;
  readonly objects: StandingObjects;
  readonly replicas: readonly SpecReplica[];
  readonly creating: Creating;
}

describe('two installations of one cluster, each under its own name in its own namespace', function () {
  this.timeout(300_000);
  const opened = new AsyncDisposableStack();
  let api: RealApi;
  let kubectl: Kubectl;
  let orders: Installed;
  let invoices: Installed;
  before(async () => {
    api = opened.use(await startRealApi());
    kubectl = opened.use(await kubectlFor(api));
    [orders, invoices] = await Promise.all([installed('orders', 'shop'), installed('invoices', 'store')]);
  });
  after(() => opened.disposeAsync());

  const succeed = async (answer: ReturnType<RealApi['admin']['post']>): Promise<void> => {
    const { status, text } = await answer;
    if (status >= 300) throw new Error(text);
  };

  /** The Service leads to the replicas of this machine, as no kube-proxy makes it do here. */
  const lead = async (name: string, namespace: string, { port }: Balancer): Promise<void> => {
    const spec = { type: 'ExternalName', externalName: 'localhost', clusterIP: null, clusterIPs: null };
    await succeed(api.admin.patch('merge', `/api/v1/namespaces/${namespace}/services/${name}`, { spec }));
    const path = '/webhooks/0/clientConfig/service/port';
    const target = `${ADMISSION}/${name}.${namespace}`;
    await succeed(api.admin.patch('json', target, [{ op: 'replace', path, value: port }]));
  };

  const tokenOf = async (name: string, namespace: string): Promise<string> => {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
    const answer = await api.admin.post(path, { spec: { expirationSeconds: 3_600 } });
    return answer.at('status', 'token') as string;
  };

  /** Applies what `manifests` prints, and runs replicas in it under its own account: they may do what it grants. */
  const installed = async (name: string, namespace: string): Promise<Installed> => {
    const args = [`--name=${name}`, `--namespace=${namespace}`, '--create-namespace', '--with=network-policy'];
    const printed = await knownKinds(kubectl, manifestsOf(args));
    await kubectl.run(['apply', '-f', '-'], listOf(printed));
    const balancer = opened.use(await startBalancer());
    await lead(name, namespace, balancer);
    const token = await tokenOf(name, namespace);
    const installation = opened.use(
      await install(api, {
        kubeletDelayMs: 200,
        env: { NAME: name, WEBHOOK_HANDLER: HANDLER, TRUST_SETTLE, CA_OVERLAP: '1s' },
        applied: { namespace, kubeconfig: kubeconfig({ url: api.url, caPem: api.caPem, token }) },
      }),
    );
    const replicas = [await installation.replica(), await installation.replica()];
    await Promise.all(replicas.map((replica) => replica.line(LOADED, {}, 40_000)));
    for (const replica of replicas) balancer.add(replica);
    const labels = { [`${name}/validate`]: 'true' };
    await until(async () => {
      const path = '/api/v1/namespaces/default/configmaps?dryRun=All';
      const { status, headers } = await api.admin.post(path, { metadata: { name: 'first', labels } });
      return status === 201 && headers.warning !== undefined;
    });
    const objects = opened.use(await standingObjects(installation));
    const creating = opened.use(
      startCreating({ api: api.admin, namespace: 'default', callers: 2, pauseMs: 20, labels }),
    );
    return { name, printed, installation, objects, replicas, creating };
  };

  const rotate = async ({ installation, objects, replicas }: Installed): Promise<void> => {
    for (const what of ['leaf', 'ca', 'leaf', 'ca'] as const) {
      await rotateAll(what, installation, objects, { replicas, withinMs: 20_000 });
      if (what === 'ca') await settled(objects, 20_000);
    }
    expect(certificatesIn(objects.caBundle())).to.equal(1);
  };

  const admittedByOwn = ({ creating, replicas }: Installed): void => {
    expect(creating.failures).to.deep.equal([]);
    const own = replicas.map(({ name }) => name);
    for (const name of creating.admittedBy.keys()) expect(own).to.include(name);
  };

  it('have no object in common', () => {
    const idsOf = ({ printed }: Installed): readonly string[] =>
      printed.map(({ object: { kind, metadata } }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`);
    expect(idsOf(orders).filter((id) => idsOf(invoices).includes(id))).to.deep.equal([]);
    const pathsOf = ({ installation }: Installed): readonly string[] => Object.values(installation.paths);
    expect(pathsOf(orders).filter((path) => pathsOf(invoices).includes(path))).to.deep.equal([]);
  });

  it('both rotate leaf and CA at once, and no call fails', async () => {
    await Promise.all([rotate(orders), rotate(invoices)]);
    await Promise.all([orders.creating.answered(50), invoices.creating.answered(50)]);
    for (const one of [orders, invoices]) admittedByOwn(one);
    console.log(
      `      ${orders.creating.creates} + ${invoices.creating.creates} creates, ` +
        `${orders.creating.failures.length + invoices.creating.failures.length} failed`,
    );
  });

  it('may not touch what is the other’s', async () => {
    const review = async (account: string, resourceAttributes: Readonly<Record<string, Json>>): Promise<Json> => {
      const spec = { user: account, resourceAttributes };
      const answer = await api.admin.post('/apis/authorization.k8s.io/v1/subjectaccessreviews', { spec });
      return answer.at('status', 'allowed') ?? null;
    };
    const account = 'system:serviceaccount:shop:orders';
    const own = { group: 'admissionregistration.k8s.io', resource: 'validatingwebhookconfigurations', verb: 'patch' };
    expect(await review(account, { ...own, name: 'orders.shop' })).to.equal(true);
    expect(await review(account, { ...own, name: 'invoices.store' })).to.equal(false);
    for (const namespace of ['shop', 'store']) {
      const secret = { resource: 'secrets', verb: 'get', namespace, name: 'invoices-cert-ca' };
      expect(await review(account, secret), namespace).to.equal(false);
    }
  });

  it('leave each other whole: one is uninstalled, and the other goes on rotating without a failed call', async () => {
    await orders.creating[Symbol.asyncDispose]();
    for (const replica of orders.replicas) replica.kill('SIGTERM');
    await Promise.all(orders.replicas.map(({ exit }) => exit));
    await kubectl.run(['delete', '--wait=false', '-f', '-'], listOf(orders.printed));
    const { printed } = invoices;
    const left = (await kubectl.run(['get', '-o', 'name', '-f', '-'], listOf(printed))).trim().split('\n');
    expect(left).to.have.length(printed.length);
    const before = invoices.creating.creates;
    await rotate(invoices);
    expect(invoices.creating.creates, 'creates while it rotated').to.be.above(before);
    await invoices.creating.answered(20);
    admittedByOwn(invoices);
    expect((await api.admin.get(`${ADMISSION}/orders.shop`)).status).to.equal(404);
  });
});
