import { expect } from 'chai';
import { until } from '../support/until.ts';
import { type Creates, keepCreating } from './creates.ts';
import { kubectl } from './kubectl.ts';
import { renderedManifests } from './rendered-manifests.ts';

const SYSTEM = ['-n', 'webhook-certd'];
const LEASE = 'webhook-certd';
const SECRET = 'webhook-certd-cert';
const TARGET = 'validatingwebhookconfiguration/webhook-certd.webhook-certd';
const CLIENTS = 'webhook-certd-e2e';
const READY_MS = 20_000;
const ADOPTED_MS = 1_000;

const kubeconfig = process.env['KUBECONFIG'] ?? '';
const image = process.env['IMAGE'] ?? '';

const get = async (what: readonly string[], path: string): Promise<string> =>
  kubectl([...SYSTEM, 'get', ...what, '-o', `jsonpath=${path}`]);
const readyReplicas = async (): Promise<number> =>
  Number(await get(['deployment', 'webhook-certd'], '{.status.readyReplicas}'));
const announced = (): Promise<string> => get(['lease', LEASE], '{.metadata.annotations.webhook-certd/cert-hash}');
const serving = async (): Promise<readonly string[]> =>
  (
    await get(
      ['pods', '-l', 'app.kubernetes.io/name=webhook-certd', '--field-selector=status.phase=Running'],
      '{range .items[*]}{.metadata.annotations.webhook-certd/serving-hash}{"\\n"}{end}',
    )
  )
    .trim()
    .split('\n');
const settledOn = async (hash: string): Promise<boolean> => {
  const hashes = await serving();
  return hashes.length >= 2 && hashes.every((each) => each === hash) && (await readyReplicas()) === 2;
};

/** KUBECONFIG names the cluster, IMAGE an image that its nodes have or can pull. */
describe('a day in its life on a real cluster', () => {
  let creates: Creates = { count: 0, failures: [], [Symbol.asyncDispose]: () => Promise.resolve() };

  before(async () => {
    expect(kubeconfig, 'KUBECONFIG').not.to.equal('');
    expect(image, 'IMAGE').not.to.equal('');
    await kubectl(['create', 'namespace', CLIENTS]);
  });
  after(async () => {
    await creates[Symbol.asyncDispose]();
    await kubectl(['delete', 'namespace', CLIENTS, '--wait=false']);
    await kubectl(['delete', '-f', '-', '--ignore-not-found', '--wait=false'], await renderedManifests(image, {}));
  });
  afterEach(function () {
    const { failures, count } = creates;
    process.stdout.write(`      creates so far ${count}, failed ${failures.length}\n`);
    for (const { at, reason } of failures) process.stdout.write(`      ${at} ${reason}\n`);
  });

  const another = async (ask: () => Promise<unknown>): Promise<string> => {
    const before = await announced();
    await ask();
    await until(async () => (await announced()) !== before, 60_000);
    const hash = await announced();
    await until(() => settledOn(hash), 180_000);
    return hash;
  };
  const rotate = (what: 'leaf' | 'ca') => () =>
    kubectl([...SYSTEM, 'annotate', 'lease', LEASE, `webhook-certd/rotate=${what}`]);
  const adoptions = async (hash: string): Promise<readonly number[]> => {
    const logs = await kubectl([...SYSTEM, 'logs', '-l', 'app.kubernetes.io/name=webhook-certd', '--tail=-1']);
    const lines = logs
      .split('\n')
      .filter((text) => text.includes('"Certificate loaded and verified"') && text.includes(hash));
    return lines.map((text) => (JSON.parse(text) as { readonly elapsedMs: number }).elapsedMs);
  };

  it(`has two replicas ready within ${READY_MS / 1000} s of kubectl apply, from nothing`, async () => {
    const manifests = await renderedManifests(image, { CA_OVERLAP: '5s' });
    const startedMs = performance.now();
    await kubectl(['apply', '-f', '-'], manifests);
    await until(async () => (await readyReplicas()) === 2, 60_000);
    const tookMs = performance.now() - startedMs;
    process.stdout.write(`      ready after ${Math.round(tookMs)} ms\n`);
    expect(tookMs).to.be.below(READY_MS);
    creates = await keepCreating(kubeconfig, CLIENTS);
    await until(() => creates.count > 50);
    expect(creates.failures).to.deep.equal([]);
  });

  for (const what of ['leaf', 'ca'] as const)
    it(`rotates its ${what} without a failed create, adopted within a second of the announcement`, async () => {
      const took = await adoptions(await another(rotate(what)));
      process.stdout.write(`      adopted after ${took.join(' and ')} ms\n`);
      expect(took).to.have.length(2);
      expect(Math.max(...took)).to.be.below(ADOPTED_MS);
      expect(creates.failures).to.deep.equal([]);
    });

  it('restarts by kubectl rollout restart without a failed create', async () => {
    await kubectl([...SYSTEM, 'rollout', 'restart', 'deployment/webhook-certd']);
    await kubectl([...SYSTEM, 'rollout', 'status', 'deployment/webhook-certd', '--timeout=180s']);
    expect(creates.failures).to.deep.equal([]);
  });

  it('loses its leader without grace, and no create', async () => {
    const leader = await get(['lease', LEASE], '{.spec.holderIdentity}');
    await kubectl([...SYSTEM, 'delete', 'pod', leader, '--grace-period=0', '--force']);
    await until(async () => (await readyReplicas()) === 2, 120_000);
  });

  it('has a deleted Secret issued again without a failed create', async () => {
    const before = creates.failures.length;
    await another(() => kubectl([...SYSTEM, 'delete', 'secret', SECRET]));
    expect(creates.failures).to.have.length(before);
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
