import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { loadAll } from 'js-yaml';
import { injecting, layOut, originPair, ORIGINS, type Place, secretNames } from '../support/origins.ts';
import { rawApi } from '../support/raw-api.ts';
import { until } from '../support/until.ts';
import { dayOf, kubeconfig } from './day.ts';
import { kubectl } from './kubectl.ts';
import { apply, guide, type Move, MOVES } from './moves.ts';
import { newDeployment, oldDeployment, surroundings, webhookConfiguration } from './moving-webhook.ts';
import { type Manifest, manifestsText } from './rendered-manifests.ts';
import { openShell, type Shell } from './shell.ts';

const CLIENTS = 'webhook-certd-e2e-moving-in';
/** An hour of overlap would prove no more. */
const QUICK = { CA_OVERLAP: '10s', TRUST_SETTLE: '3s' };
const TRUSTED_MS = 240_000;

/** The cluster as the administrator of KUBECONFIG sees it, for the layouts that spec/kube-apiserver has, too. */
const placeOf = async ({ namespace, target, secret }: Move['old']): Promise<Place & Disposable> => {
  const read = (path: string): Promise<string> =>
    kubectl(['config', 'view', '--kubeconfig', kubeconfig, '--raw', '-o', `jsonpath=${path}`]);
  const [url, ca, token] = [
    await read('{.clusters[0].cluster.server}'),
    await read('{.clusters[0].cluster.certificate-authority-data}'),
    await read('{.users[0].user.token}'),
  ];
  const admin = rawApi({ url, caPem: Buffer.from(ca, 'base64').toString(), token });
  return {
    api: { admin },
    namespace,
    paths: {
      secret: `/api/v1/namespaces/${namespace}/secrets/${secret}`,
      target: `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${target}`,
    },
    [Symbol.dispose]: () => admin[Symbol.dispose](),
  };
};

const admits = async (namespace: string): Promise<boolean> => {
  const metadata = { generateName: 'first-', namespace, labels: { 'webhook-certd/validate': 'true' } };
  const object = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata });
  return kubectl(['create', '--dry-run=server', '-f', '-'], object).then(
    () => true,
    () => false,
  );
};

for (const [index, move] of MOVES.entries())
  describe(`a webhook that moves in from ${move.origin} as the guide says, on a real cluster`, () => {
    const { old } = move;
    const clients = `${CLIENTS}-${index}`;
    const origin = ORIGINS.find(({ name }) => name === move.origin);
    if (origin === undefined) throw new Error(`no origin is laid out as ${move.origin}`);
    const day = dayOf(clients, () =>
      Promise.resolve(
        manifestsText([
          ...[webhookConfiguration(old), oldDeployment(old), ...surroundings(old)],
          ...(move.definition === undefined ? [] : [move.definition]),
        ]),
      ),
    );
    const opened = new AsyncDisposableStack();
    let shell: Shell;
    let injector: ReturnType<typeof injecting>;
    before(async () => {
      shell = opened.use(await openShell());
    });
    after(() => opened.disposeAsync());

    /** The guide says it of its names: they stand for those of the reader. */
    const named = (text: string): string =>
      text
        .replaceAll('orders-webhook', old.target)
        .replaceAll(/\bshop\b/g, old.namespace)
        .replaceAll(/\borders\b/g, old.name);
    const blocks = (heading: string): readonly string[] => guide.blocks(heading, 'sh').map(named);
    const run = (commands: string | undefined): Promise<string> => shell.run(commands ?? 'false');
    const trusted = async (): Promise<number> => Number((await run(blocks('4. Clean up')[0])).split('\n')[0]);
    const expectNoFailure = (): void => {
      expect(day.creates.failures).to.deep.equal([]);
    };

    const expectFreeNames = async (): Promise<void> => {
      const [free] = blocks('1. Choose names that are free');
      const found = await run(free).catch(String);
      expect(found.match(/\(NotFound\)/g), found).to.have.length(3);
    };

    it('is asked about each create, with the certificate that its origin has issued', async () => {
      await kubectl(['wait', '--for=delete', `namespace/${old.namespace}`, '--timeout=120s']).catch(() => undefined);
      const [pair, caKey] = await originPair(`${old.service}.${old.namespace}.svc`);
      const place = opened.use(await placeOf(old));
      const caBundle = move.caBundleOfChart === true ? pair.trust.toString('base64') : undefined;
      await apply(...surroundings(old), webhookConfiguration(old, caBundle));
      await layOut(origin, place, pair, caKey);
      await move.layOut?.();
      await until(async () => !(await admits(clients)));
      await apply(oldDeployment(old));
      await until(() => admits(clients), 60_000);
      injector = opened.use(injecting(origin, place, pair.trust, 50));
      await day.begin();
    });

    it('moves in without a failed create, and shows what the guide says', async () => {
      const startedMs = performance.now();
      await expectFreeNames();
      for (const commands of move.print) await run(named(commands));
      const file = join(shell.path, 'certd.yaml');
      // policy/v1 came with Kubernetes 1.21.
      const versions = (await kubectl(['api-versions'])).split('\n');
      const printed = await readFile(file, 'utf8');
      if (!versions.includes('policy/v1')) await writeFile(file, printed.replace(/policy\/v1$/m, 'policy/v1beta1'));
      for (const commands of blocks('2. Stop the injection')) await run(commands);
      await move.stop?.(shell);
      injector.stop();

      const deployment = (loadAll(printed) as Manifest[]).find(({ kind }) => kind === 'Deployment');
      if (deployment === undefined) throw new Error(printed);
      const alongside = (await move.alongside?.()) ?? [];
      await apply(...alongside, newDeployment(old, deployment, QUICK));
      await until(async () => (await trusted()) === 2, TRUSTED_MS);
      for (const commands of blocks('3. Roll out')) expect(await run(commands)).to.not.include('✘');
      await until(async () => (await trusted()) === 1, TRUSTED_MS);
      process.stdout.write(`      moved in within ${Math.round((performance.now() - startedMs) / 1_000)} s\n`);
      expectNoFailure();

      const selector = ['-l', `app.kubernetes.io/name=${old.name}`, '-c', 'webhook-certd', '--tail=-1'];
      const logged = (await kubectl(['-n', old.namespace, 'logs', ...selector])).trim().split('\n');
      const lines = logged.map((line) => JSON.parse(line) as Record<string, unknown>);
      const missing = guide
        .lines('3. Roll out')
        .flat()
        .filter((told) => {
          const fields = Object.entries(told).map(([key, value]) => [
            key,
            typeof value === 'string' ? named(value) : value,
          ]);
          return !lines.some((line) => fields.every(([key, value]) => line[String(key)] === value));
        });
      expect(missing, 'lines of the guide that no replica logged').to.deep.equal([]);
    });

    it('does without what its origin has left, and its next Pods do', async () => {
      const [, mounted = ''] = (await run(blocks('4. Clean up')[0])).split('\n');
      expect(mounted.split(' ')).to.deep.equal([`${old.name}-cert`]);
      await run(guide.blocks(move.origin, 'sh').at(-1));
      const secrets = await kubectl(['-n', old.namespace, 'get', 'secrets', '-o', 'name']);
      for (const name of secretNames(origin)) expect(secrets.split('\n')).to.not.include(`secret/${name}`);
      await kubectl(['-n', old.namespace, 'rollout', 'restart', `deployment/${old.name}`]);
      for (const commands of blocks('3. Roll out')) expect(await run(commands)).to.not.match(/[✘⚠]/);
      expectNoFailure();
    });

    it('is gone as the guide says, with what it has made, and no create fails for it', async () => {
      for (const commands of blocks('Uninstall')) await run(commands);
      await kubectl(['-n', old.namespace, 'wait', '--for=delete', 'pods', '--all', '--timeout=120s']);
      await expectFreeNames();
      expectNoFailure();
    });
  });
