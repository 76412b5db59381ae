import { writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import { pki } from '../support/pki.ts';
import type { Json } from '../support/raw-api.ts';
import { describeOnRealServer, pasted } from './pasted.ts';
import { layOut, type Scene, type SceneOptions, withoutElection } from './scene.ts';

type Body = Readonly<Record<string, Json>>;

/** Commands that speak to a node, of which a lone API server has none. They only read, but for the clock of a node. */
const NEEDS_NODE = /kubectl (logs|debug) |\/proxy\//;
const OWN = 'fieldManager=webhook-certd';

/** Requests a new leaf, in which no call fails: the rotation specs show it. */
const HARMLESS = 'kubetemplater.io/rotate';

describeOnRealServer(
  'a remedy of check, pasted where nothing is wrong, changes nothing that matters',
  180_000,
  (api) => {
    const pathsOf = ({ namespace, paths }: Scene): readonly string[] => [
      paths.secret.path,
      paths.ca.path,
      paths.lease.path,
      paths.targets[0]?.path ?? '',
      `/apis/apps/v1/namespaces/${namespace}/deployments/webhook`,
      `/api/v1/namespaces/${namespace}/services/kubetemplater-webhook-service`,
    ];

    const read = async (path: string): Promise<Body> => JSON.parse((await api().admin.get(path)).text) as Body;

    /** Everything of an installation that its calls depend on. */
    const state = async (scene: Scene): Promise<unknown> => {
      const objects = await Promise.all(pathsOf(scene).map(read));
      const pods = (await read(scene.paths.pods))['items'] as unknown as readonly {
        metadata: { name: string };
        spec: Json;
      }[];
      const network = await read(`/apis/networking.k8s.io/v1/namespaces/${scene.namespace}/networkpolicies`);
      return {
        objects: objects.map(({ kind, metadata, type, data, webhooks, immutable, spec }) => {
          const { annotations, uid } = metadata as { readonly annotations?: Body; readonly uid: string };
          const others = Object.entries((spec ?? {}) as Body).filter(([key]) => key !== 'renewTime');
          const kept = Object.entries(annotations ?? {}).filter(([key]) => key !== HARMLESS);
          return {
            kind,
            uid,
            annotations: Object.fromEntries(kept),
            type,
            data,
            webhooks,
            immutable,
            spec: Object.fromEntries(others),
          };
        }),
        pods: pods.map(({ metadata, spec }) => ({ name: metadata.name, spec })),
        network: network['items'],
      };
    };

    /** Pastes every remedy of a run; one that fails does nothing. Returns those that were pasted. */
    const pasteAll = async (scene: Scene, remedies: readonly (string | null)[]): Promise<readonly string[]> => {
      const commands = [...new Set(remedies)].filter((each) => each !== null).filter((each) => !NEEDS_NODE.test(each));
      for (const command of commands) await pasted(api(), scene, command).catch(() => undefined);
      return commands;
    };

    const wrong: Readonly<Record<string, Readonly<Record<string, string>>>> = {
      'another Lease': { LEASE_NAME: 'other' },
      'another Secret': { SECRET_NAME: 'other' },
      'another Service': { SERVICE_NAME: 'other' },
      'another prefix of annotations': { ANNOTATION_PREFIX: 'other.example.com' },
      'another selector': { POD_SELECTOR: 'app=other' },
      'another target': { CA_BUNDLE_TARGETS: 'validatingwebhookconfiguration/other' },
      'another directory': { CERT_DIR: '/another/directory' },
      'another port': { WEBHOOK_BIND_ADDRESS: ':8443' },
      'another issuer': { CERT_ISSUER: 'external' },
      'another overlap and validity': { CA_OVERLAP: '1d', RENEW_BEFORE: '3000d', CERT_VALIDITY: '3650d' },
      'the names of another installation': {
        LEASE_NAME: 'other',
        SECRET_NAME: 'other',
        SERVICE_NAME: 'other',
        POD_SELECTOR: 'app=other',
        CA_BUNDLE_TARGETS: 'validatingwebhookconfiguration/other',
      },
    };
    for (const [what, own] of Object.entries(wrong))
      it(`although the check was told ${what}, and the Pods do not say otherwise`, async () => {
        await using scene = await layOut(api());
        const before = await state(scene);
        await writeFile(scene.kubeconfig, api().adminKubeconfig());
        const { checks } = await scene.check(own);
        await pasteAll(
          scene,
          checks.map(({ remedy }) => remedy),
        );
        expect(await state(scene)).to.deep.equal(before);
      });

    /** Puts an object as it was, by the same field manager. */
    const restore = async (path: string, object: Body): Promise<void> => {
      const { name, annotations, labels } = object['metadata'] as Body;
      const metadata = { name: name!, annotations: annotations ?? {}, labels: labels ?? {} };
      await api().admin.delete(path);
      const collection = path.slice(0, path.lastIndexOf('/'));
      const { status, text } = await api().admin.post(`${collection}?${OWN}`, { ...object, metadata });
      expect(status, text).to.be.below(300);
    };

    interface Fault {
      readonly options?: SceneOptions;
      /** Breaks the installation, and tells which object has to be restored. */
      readonly broken: (scene: Scene) => Promise<string>;
      /** The check whose remedy must be among those that were pasted. */
      readonly named: string;
    }

    const patchOf = async (scene: Scene, which: 'secret' | 'ca' | 'lease', patch: Json): Promise<string> => {
      const { path } = scene.paths[which];
      const { status, text } = await api().admin.patch('merge', `${path}?fieldManager=somebody`, patch);
      expect(status, text).to.equal(200);
      return path;
    };

    const replaceSecret = async (scene: Scene, which: 'secret' | 'ca', body: Body): Promise<string> => {
      const { path, name, collection } = scene.paths[which];
      await api().admin.delete(path);
      const { metadata, ...rest } = body;
      const created = await api().admin.post(`${collection}?fieldManager=somebody`, {
        ...rest,
        metadata: { ...(metadata as object), name },
      });
      expect(created.status, created.text).to.be.below(300);
      return path;
    };

    const onTarget = async (scene: Scene, path: string, value: Json): Promise<string> => {
      const target = scene.paths.targets[0]!;
      const { status, text } = await api().admin.patch('json', `${target.path}?fieldManager=helm`, [
        { op: 'replace', path, value },
      ]);
      expect(status, text).to.equal(200);
      return target.path;
    };

    const EXTERNAL = { env: { CERT_ISSUER: 'external' } } as const;
    const otherNames = async (): Promise<Body> => {
      const { certificate, key, trust } = await pki.pair({ names: ['other.ns.svc'] });
      const base64 = (bytes: string | Buffer): string => Buffer.from(bytes).toString('base64');
      const data = { 'tls.crt': base64(certificate), 'tls.key': base64(key), 'ca.crt': base64(trust) };
      return { type: 'kubernetes.io/tls', data };
    };

    const faults: Readonly<Record<string, Fault>> = {
      'a malformed announcement': {
        named: 'Lease announces',
        broken: (scene) =>
          patchOf(scene, 'lease', { metadata: { annotations: { 'kubetemplater.io/cert-hash': 'x' } } }),
      },
      'an immutable Secret': {
        named: 'Secret kubetemplater-webhook-cert can be changed',
        broken: (scene) => patchOf(scene, 'secret', { immutable: true }),
      },
      'a Secret of another party': {
        named: 'Secret is that of this installation',
        broken: (scene) => replaceSecret(scene, 'secret', { data: { password: 'YQ==' } }),
      },
      'a SECRET-ca of another party': {
        named: 'CA is usable',
        broken: (scene) => replaceSecret(scene, 'ca', { data: { 'tls.crt': 'YQ==' } }),
      },
      'a Secret of an external issuer with other names': {
        options: EXTERNAL,
        named: 'certificate carries the names',
        broken: async (scene) => replaceSecret(scene, 'secret', await otherNames()),
      },
      'a Secret of cert-manager with a key that does not fit': {
        options: EXTERNAL,
        named: "Secret's key matches",
        broken: async (scene) => {
          const [body, other] = [await otherNames(), await otherNames()];
          const data = { ...(body['data'] as Body), 'tls.key': (other['data'] as Body)['tls.key']! };
          const annotations = { 'cert-manager.io/certificate-name': 'webhook' };
          return replaceSecret(scene, 'secret', { ...body, data, metadata: { annotations } });
        },
      },
      'a caBundle of another CA': {
        named: 'validatingwebhookconfiguration/',
        broken: async (scene) => {
          const value = Buffer.from((await pki.authority()).certificatePem).toString('base64');
          return onTarget(scene, '/webhooks/0/clientConfig/caBundle', value);
        },
      },
      'a webhook that would block its own repair': {
        named: 'validatingwebhookconfiguration/',
        broken: (scene) =>
          onTarget(scene, '/webhooks/0/rules', [
            {
              apiGroups: [''],
              apiVersions: ['v1'],
              operations: ['UPDATE'],
              resources: ['secrets'],
              scope: 'Namespaced',
            },
          ]),
      },
      'a NetworkPolicy that shuts the replicas in': {
        named: 'replicas may reach the API server',
        broken: async (scene) => {
          const path = `/apis/networking.k8s.io/v1/namespaces/${scene.namespace}/networkpolicies`;
          const spec = { podSelector: {}, policyTypes: ['Ingress', 'Egress'] };
          await api().admin.post(path, { metadata: { name: 'deny-all' }, spec });
          return `${path}/deny-all`;
        },
      },
      'no replica that may lead': {
        named: 'Lease is held',
        options: {
          template: withoutElection,
        },
        broken: (scene) => patchOf(scene, 'lease', { spec: { holderIdentity: '' } }),
      },
    };

    for (const [what, { options, broken, named }] of Object.entries(faults))
      it(`after ${what} was corrected otherwise`, async () => {
        await using scene = await layOut(api(), options);
        await writeFile(scene.kubeconfig, api().adminKubeconfig());
        const paths = pathsOf(scene);
        const originals = new Map(await Promise.all(paths.map(async (path) => [path, await read(path)] as const)));
        const path = await broken(scene);
        const run = await scene.check();
        expect(
          run.checks.some(({ name, remedy }) => name.startsWith(named) && remedy !== null),
          JSON.stringify(run.checks),
        ).to.equal(true);
        const original = originals.get(path);
        if (original === undefined) await api().admin.delete(path);
        else await restore(path, original);
        if (what.startsWith('no replica')) {
          const deployment = `/apis/apps/v1/namespaces/${scene.namespace}/deployments/webhook`;
          const env = [{ op: 'remove', path: '/spec/template/spec/containers/0/env' }];
          await api().admin.patch('json', deployment, env);
        }
        const before = await state(scene);
        const remedies = run.checks.map(({ remedy }) => remedy);
        expect((await pasteAll(scene, remedies)).length).to.be.above(0);
        expect(await state(scene)).to.deep.equal(before);
      });
  },
);
