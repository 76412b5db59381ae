import { expect } from 'chai';
import { clusterPaths } from '../../src/cluster/paths.ts';
import { permissions } from '../../src/cluster/permissions.ts';
import { grants } from './grants.ts';
import { COMPONENTS, only, rendered } from './rendered.ts';
import { replicaOf } from './replica-of.ts';

for (const component of [undefined, ...COMPONENTS]) {
  describe(`the permissions, ${component ?? 'base'}`, () => {
    const objects = rendered(component);

    it('are the verbs that the daemon uses with this configuration: none more, none less', () => {
      const { config } = replicaOf(objects);
      const used = permissions(config, clusterPaths(config)).flatMap(
        ({ apiGroup, resource, verbs, names, namespace }) =>
          (names.length === 0 ? ['*'] : names).flatMap((name) =>
            verbs.map((verb) => `${namespace ?? 'cluster'} ${apiGroup}/${resource}/${name} ${verb}`),
          ),
      );
      const granted = [...grants(only(objects, 'Role')), ...grants(only(objects, 'ClusterRole'))];
      expect([...granted].sort()).to.deep.equal([...used].sort());
    });

    it('reach the service account that the Pods run under', () => {
      const { pod, config } = replicaOf(objects);
      expect(only(objects, 'ServiceAccount').name).to.equal(pod['serviceAccountName']);
      for (const kind of ['Role', 'ClusterRole']) {
        const binding = only(objects, `${kind}Binding`);
        expect(binding.at('roleRef')).to.deep.equal({
          apiGroup: 'rbac.authorization.k8s.io',
          kind,
          name: only(objects, kind).name,
        });
        expect(binding.at('subjects')).to.deep.equal([
          { kind: 'ServiceAccount', name: pod['serviceAccountName'], namespace: config.namespace },
        ]);
      }
      expect(pod['automountServiceAccountToken']).to.equal(true);
    });
  });
}
