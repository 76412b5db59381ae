import { expect } from 'chai';
import type { Manifest } from '../../src/manifests/installation.ts';
import { knownKinds, listOf } from '../support/known-kinds.ts';
import { type Kubectl, kubectlFor } from '../support/kubectl-for.ts';
import type { Json } from '../support/raw-api.ts';
import { type RealApi, startRealApi } from '../support/real-api.ts';
import { BASE, manifestsOf } from '../support/write-manifests.ts';

/** What the API server allocates or copies, and what versions after 1.20 add: nothing that a manifest could state. */
const ALLOCATED = [
  'clusterIP',
  'clusterIPs',
  'ipFamilies',
  'ipFamilyPolicy',
  'internalTrafficPolicy',
  'serviceAccount',
];

type Members = Readonly<Record<string, Json>>;

const without = (object: Members, ...names: readonly string[]): Members =>
  Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));

/** Leaves out what the API server writes for itself. */
const stated = (live: Members, manifest: Manifest['object']): Json => {
  const { name, namespace, labels } = live['metadata'] as Members;
  const text = JSON.stringify(
    { ...without(live, 'status'), metadata: { name, ...(namespace === undefined ? {} : { namespace }), labels } },
    function (this: Members, key: string, value: Json) {
      const isStated = JSON.stringify(manifest).includes(`"${key}":`);
      if (ALLOCATED.includes(key) && !isStated) return undefined;
      // A namespace has a finalizer for its spec, and a label of its name.
      if (key === 'creationTimestamp' || (manifest.kind === 'Namespace' && key === 'spec')) return undefined;
      return manifest.kind === 'Namespace' && key === 'kubernetes.io/metadata.name' ? undefined : value;
    },
  );
  return JSON.parse(text) as Json;
};

for (const [title, args] of [
  ['manifests/base with everything that needs no other program', [...BASE, '--with=policy,network-policy']],
  [
    'what `manifests` prints for a name in a namespace, with ports and a handler of its own',
    [
      ...['--name=orders', '--namespace=shop', '--create-namespace', '--with=policy,network-policy', '--replicas=3'],
      ...['--webhook-bind-address=:8443', '--webhook-handler=/app/handler.js', '--log-level=debug', '--image=a:latest'],
    ],
  ],
] as const)
  describe(`${title}, applied again to a real API server`, function () {
    this.timeout(240_000);
    const opened = new AsyncDisposableStack();
    let api: RealApi;
    let kubectl: Kubectl;
    let objects: readonly Manifest[];
    before(async () => {
      api = opened.use(await startRealApi());
      kubectl = opened.use(await kubectlFor(api));
      objects = await knownKinds(kubectl, manifestsOf(args));
      await kubectl.run(['apply', '-f', '-'], listOf(objects));
    });
    after(() => opened.disposeAsync());

    const live = async (): Promise<readonly Members[]> => {
      const { items } = JSON.parse(await kubectl.run(['get', '-o', 'json', '-f', '-'], listOf(objects))) as {
        readonly items: readonly Members[];
      };
      return items;
    };
    const versions = async (field: 'resourceVersion' | 'generation'): Promise<readonly Json[]> =>
      (await live()).map(({ kind, metadata }) => [kind ?? '', (metadata as Record<string, Json>)[field] ?? null]);

    it('states every field that the API server would fill in', async () => {
      const found = await live();
      for (const [at, { object }] of objects.entries()) {
        expect(stated(found[at] ?? {}, object), `${object.kind} ${object.metadata.name}`).to.deep.equal(
          JSON.parse(JSON.stringify(object)),
        );
      }
    });

    it('is unchanged by a second kubectl apply: no object gets another version', async () => {
      const before = await versions('resourceVersion');
      const lines = (await kubectl.run(['apply', '-f', '-'], listOf(objects))).trim().split('\n');
      expect(lines.filter((line) => !line.endsWith(' unchanged'))).to.deep.equal([]);
      expect(await versions('resourceVersion')).to.deep.equal(before);
    });

    const apply = (manager: string): Promise<string> =>
      kubectl.run(['apply', '--server-side', `--field-manager=${manager}`, '-f', '-'], listOf(objects));

    it('is applied server-side by other managers without a conflict or a change', async () => {
      const contents = async (): Promise<readonly Json[]> =>
        (await live()).map((object) => without(object, 'metadata', 'status'));
      const before = await contents();
      await apply('first');
      await apply('second');
      expect(await contents()).to.deep.equal(before);
    });

    it('gets no new generation where it has been applied server-side from the beginning', async () => {
      const others = objects.filter(({ object }) => object.kind !== 'Namespace');
      await kubectl.run(['delete', '-f', '-'], listOf(others));
      await apply('first');
      const before = await versions('generation');
      for (const manager of ['second', 'first', 'second']) await apply(manager);
      expect(await versions('generation')).to.deep.equal(before);
      const version = await versions('resourceVersion');
      await apply('second');
      expect(await versions('resourceVersion')).to.deep.equal(version);
    });

    it('keeps the caBundle that the daemon wrote, whoever applies', async () => {
      const target = objects.find(({ object }) => object.kind === 'ValidatingWebhookConfiguration')!.object.metadata
        .name;
      const path = `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${target}`;
      const value = Buffer.from('-----BEGIN CERTIFICATE-----').toString('base64');
      const operation = { op: 'add', path: '/webhooks/0/clientConfig/caBundle', value };
      const written = await api.admin.patch('json', `${path}?fieldManager=webhook-certd`, [operation]);
      expect(written.status, written.text).to.equal(200);
      await kubectl.run(['apply', '--server-side', '--field-manager=first', '-f', '-'], listOf(objects));
      await kubectl.run(['apply', '--server-side', '--field-manager=third', '-f', '-'], listOf(objects));
      await kubectl.run(['apply', '-f', '-'], listOf(objects));
      const after = await api.admin.get(path);
      expect(after.at('webhooks', 0, 'clientConfig', 'caBundle')).to.equal(value);
      expect(after.at('metadata', 'generation')).to.equal(written.at('metadata', 'generation'));
    });
  });
