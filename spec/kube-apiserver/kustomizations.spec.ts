import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { loadAll } from 'js-yaml';
import type { Check } from '../../src/check/report.ts';
import { runCheck } from '../../src/commands/check.ts';
import { parseConfig } from '../../src/config/config.ts';
import { kubeconfig } from '../../src/dev-cluster/api-server.ts';
import type { Manifest } from '../../src/manifests/installation.ts';
import { MANIFESTS } from '../manifests/rendered.ts';
import { install } from '../support/installation.ts';
import { knownKinds, listOf } from '../support/known-kinds.ts';
import { type Kubectl, kubectlFor } from '../support/kubectl-for.ts';
import { type RealApi, startRealApi } from '../support/real-api.ts';
import { LOADED } from '../support/rotate-all.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

interface Overlay {
  readonly title: string;
  /** Lines of the kustomization, above the base. */
  readonly lines: readonly string[];
  readonly namespace: string;
  /** The beginning of what `check` fails on, and the object that it names there; none where the overlay is right. */
  readonly refused?: readonly { readonly name: string; readonly object: string }[];
}

const BASE_TARGET = 'validatingwebhookconfiguration/webhook-certd.webhook-certd';

const OVERLAYS: readonly Overlay[] = [
  { title: 'another namespace', lines: ['namespace: shop'], namespace: 'shop' },
  {
    title: 'a prefix of every name',
    lines: ['namespace: eu', 'namePrefix: eu-'],
    namespace: 'eu',
    refused: [{ name: `${BASE_TARGET} exists`, object: BASE_TARGET }],
  },
  {
    title: 'a suffix of every name',
    lines: ['namespace: two', 'nameSuffix: -two'],
    namespace: 'two',
    refused: [{ name: `${BASE_TARGET} exists`, object: BASE_TARGET }],
  },
  {
    title: 'another label in the selectors',
    lines: ['namespace: labelled', 'commonLabels:', '  app.kubernetes.io/name: orders'],
    namespace: 'labelled',
    refused: [{ name: 'replicas exist', object: 'app.kubernetes.io/name=webhook-certd' }],
  },
];

/** Faults of the scene, whose Pods have neither the volumes nor the ports of the Deployment. */
const OF_THE_SCENE = /mounts the Secret$|^local CERT_DIR|^Service leads to the port/;

describe('a kustomization that renames the base, on a real API server', function () {
  this.timeout(180_000);
  const opened = new AsyncDisposableStack();
  let api: RealApi;
  let kubectl: Kubectl;
  let folder: string;
  before(async () => {
    api = opened.use(await startRealApi());
    kubectl = opened.use(await kubectlFor(api));
    folder = opened.use(await temporaryDirectory()).path;
    await cp(join(MANIFESTS, 'base'), join(folder, 'base'), { recursive: true });
  });
  after(() => opened.disposeAsync());

  const render = async ({ lines, namespace }: Overlay): Promise<readonly Manifest[]> => {
    const overlay = join(folder, namespace);
    await mkdir(overlay);
    await writeFile(join(overlay, 'kustomization.yaml'), [...lines, 'resources: [../base]', ''].join('\n'));
    const objects = loadAll(await kubectl.run(['kustomize', overlay])) as Manifest['object'][];
    return knownKinds(
      kubectl,
      objects.map((object) => ({ object, comments: {} })),
    );
  };

  const failuresOf = async (env: Readonly<Record<string, string>>): Promise<readonly Check[]> => {
    const file = join(folder, 'admin');
    await writeFile(file, api.adminKubeconfig());
    const read = { namespace: () => null, hostname: () => 'desk' };
    const result = parseConfig({ env: { ...env, KUBECONFIG: file }, flags: new Map(), serves: false, read });
    if (!result.ok) throw new Error(result.problems.join('\n'));
    const printed: string[] = [];
    const dependencies = { inCluster: null, version: 'spec', print: (text: string) => void printed.push(text) };
    await runCheck(result.config, { json: true }, { ...dependencies, colours: false });
    const { checks } = JSON.parse(printed.join('\n')) as { readonly checks: readonly Check[] };
    return checks.filter(({ status, name }) => status === 'fail' && !OF_THE_SCENE.test(name));
  };

  for (const overlay of OVERLAYS)
    it(`by ${overlay.title} is ${overlay.refused === undefined ? 'right' : 'refused by check, with the object named'}`, async () => {
      const objects = await render(overlay);
      await kubectl.run(['apply', '-f', '-'], listOf(objects));
      await using applied = new AsyncDisposableStack();
      applied.defer(async () => {
        await kubectl.run(['delete', '--wait=false', '-f', '-'], listOf(objects));
      });
      const { namespace } = overlay;
      const only = (kind: string) => objects.find(({ object }) => object.kind === kind)!.object;
      const account = only('ServiceAccount').metadata.name;
      const tokens = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`;
      const answer = await api.admin.post(tokens, { spec: { expirationSeconds: 3_600 } });
      const token = answer.at('status', 'token') as string;
      const { template } = only('Deployment')['spec'] as unknown as {
        readonly template: {
          readonly metadata: { readonly labels: Readonly<Record<string, string>> };
          readonly spec: {
            readonly containers: readonly [
              { readonly env: readonly { readonly name: string; readonly value?: string }[] },
            ];
          };
        };
      };
      const env = Object.fromEntries(
        template.spec.containers[0].env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])),
      );
      await using installation = await install(api, {
        kubeletDelayMs: 200,
        env,
        applied: { namespace, kubeconfig: kubeconfig({ url: api.url, caPem: api.caPem, token }) },
        labels: template.metadata.labels,
      });
      await using replica = await installation.replica();
      await replica.line(LOADED, {}, 40_000);

      const failures = await failuresOf({
        ...env,
        POD_NAMESPACE: namespace,
        LEASE_DURATION: '4s',
        RENEW_DEADLINE: '3s',
        RETRY_PERIOD: '1s',
      });
      const { refused = [] } = overlay;
      const told = failures.map(({ name, detail }) => `${name}: ${detail}`);
      for (const { name, object } of refused) {
        const found = told.find((each) => each.startsWith(name));
        expect(found, told.join('\n')).to.include(object);
      }
      if (refused.length === 0) expect(told).to.deep.equal([]);
    });
});
