import { expect } from 'chai';
import { clusterPaths } from '../../src/cluster/paths.ts';
import { permissions } from '../../src/cluster/permissions.ts';
import { type Config, parseConfig } from '../../src/config/config.ts';
import type { Json } from '../support/raw-api.ts';
import { grants } from './grants.ts';
import { kubebuilderProject, PROJECT } from './kubebuilder.ts';
import { type Manifest, only } from './rendered.ts';
import { asKubernetesReads } from './schemas.ts';

interface Container {
  readonly name: string;
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly ports?: readonly { readonly containerPort: number }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly restartPolicy?: string;
  readonly startupProbe?: { readonly httpGet: { readonly path: string } };
}

const NAMESPACE = `${PROJECT}-system`;
const SPEC = ['spec', 'template', 'spec'] as const;

const containers = (objects: readonly Manifest[], list: 'containers' | 'initContainers'): readonly Container[] =>
  (only(objects, 'Deployment').at(...SPEC, list) ?? []) as unknown as readonly Container[];

const configOf = ({ env = [] }: Container): Config => {
  const parsed = parseConfig({
    env: {
      ...Object.fromEntries(env.map(({ name, value }) => [name, value])),
      POD_NAME: 'guestbook-0',
      POD_NAMESPACE: NAMESPACE,
    },
    flags: new Map(),
    serves: true,
    read: { namespace: () => null, hostname: () => null },
  });
  if (!parsed.ok) throw new Error(parsed.problems.join('\n'));
  return parsed.config;
};

for (const variant of ['native', 'plain'] as const) {
  describe(`a kubebuilder project with the component serving, ${variant}`, () => {
    const objects = kubebuilderProject(variant);
    const [manager] = containers(objects, 'containers');
    const [, sidecar] =
      variant === 'native' ? [null, containers(objects, 'initContainers')[0]] : containers(objects, 'containers');
    if (manager === undefined || sidecar === undefined) throw new Error('a container is missing');
    const config = configOf(sidecar);
    const template = only(objects, 'Deployment').at('spec', 'template', 'metadata', 'labels') as Readonly<
      Record<string, string>
    >;

    it('keeps the manager as it was, and gives it a volume that need not be there yet', () => {
      expect(manager.name).to.equal('manager');
      expect(only(objects, 'Deployment').at(...SPEC, 'volumes')).to.deep.equal([
        { name: 'webhook-certs', secret: { secretName: config.secretName, optional: true } },
      ]);
      const [mount] = manager.volumeMounts;
      expect(sidecar.volumeMounts).to.deep.include(mount);
      expect(config.certDir).to.equal(mount?.mountPath);
    });

    it('proves the certificate of the manager, at ports that the manager does not have', () => {
      const [{ containerPort: port }] = manager.ports as [{ readonly containerPort: number }];
      expect(config.serving).to.deep.equal({ kind: 'tcp', host: '127.0.0.1', port });
      const own = [config.probeBind.port, config.metricsBind?.port];
      for (const taken of [port, 8080, 8081, 8443]) expect(own).not.to.include(taken);
      expect(sidecar.ports?.map(({ containerPort }) => containerPort)).to.deep.equal(own);
    });

    it('names the Service, the webhook configurations and the Pods as kustomize has renamed them', () => {
      expect(config.serviceName).to.equal(only(objects, 'Service').name);
      const targets = clusterPaths(config).targets.map(({ id }) => id);
      const hooks = objects.filter(({ kind }) => kind.endsWith('WebhookConfiguration'));
      expect(targets).to.have.members(hooks.map(({ kind, name }) => `${kind.toLowerCase()}/${name}`));
      const selected = config.podSelector.split(',').map((term) => term.split('='));
      for (const [label, value] of selected) expect(template[label ?? '']).to.equal(value);
      for (const hook of hooks)
        expect(hook.at('webhooks', 0, 'clientConfig', 'service')).to.include({
          name: config.serviceName,
          namespace: NAMESPACE,
        });
    });

    it('has the permissions that are used, none more, none less, under the account of the manager', () => {
      const used = permissions(config, clusterPaths(config)).flatMap(
        ({ apiGroup, resource, verbs, names, namespace }) =>
          (names.length === 0 ? ['*'] : names).flatMap((name) =>
            verbs.map((verb) => `${namespace ?? 'cluster'} ${apiGroup}/${resource}/${name} ${verb}`),
          ),
      );
      expect([...grants(only(objects, 'Role')), ...grants(only(objects, 'ClusterRole'))].sort()).to.deep.equal(
        used.sort(),
      );
      const account = only(objects, 'ServiceAccount').name;
      expect(only(objects, 'Deployment').at(...SPEC, 'serviceAccountName')).to.equal(account);
      for (const kind of ['Role', 'ClusterRole']) {
        const binding = only(objects, `${kind}Binding`);
        expect(binding.at('roleRef', 'name')).to.equal(only(objects, kind).name);
        expect(binding.at('subjects')).to.deep.equal([{ kind: 'ServiceAccount', name: account, namespace: NAMESPACE }]);
      }
    });

    it(
      variant === 'native'
        ? 'starts the manager once the certificate is mounted'
        : 'lets the kubelet start the manager again until the certificate is mounted',
      () => {
        const isNative = variant === 'native';
        expect(sidecar.restartPolicy).to.equal(isNative ? 'Always' : undefined);
        expect(sidecar.startupProbe?.httpGet.path).to.equal(isNative ? '/startupz' : '/livez');
      },
    );

    for (const object of objects)
      it(`has no field that Kubernetes does not know in the ${object.kind} ${object.name}`, () => {
        expect(asKubernetesReads(object)).to.deep.equal(object.json satisfies Json);
      });
  });
}
