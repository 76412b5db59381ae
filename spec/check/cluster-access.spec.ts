import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { load } from 'js-yaml';
import { clusterRole, clusterRules, throughApiServer } from '../../src/check/cluster-access.ts';
import { MANIFESTS } from '../manifests/rendered.ts';

interface Role {
  readonly rules: readonly { readonly apiGroups: readonly string[]; readonly resources: readonly string[] }[];
}

/** Those that the manifests grant, with which check --cluster runs in a cluster. */
const granted = load(readFileSync(join(MANIFESTS, 'cluster-check', 'access', 'clusterrole.yaml'), 'utf8')) as Role;
const READS = granted.rules.map(({ apiGroups: [group], ...rest }) => ({ group, ...rest }));
const PORT_FORWARD = { group: '', resources: ['pods/portforward'], verbs: ['create', 'get'] };
const SECRETS = { group: '', resources: ['secrets'], verbs: ['get'] };

describe('the permissions of check --cluster', () => {
  it('are to read, and no more than its flags need', () => {
    expect(clusterRules({ portForward: false, secrets: false })).to.deep.equal(READS);
    expect(clusterRules({ portForward: true, secrets: false })).to.deep.equal([...READS, PORT_FORWARD]);
    expect(clusterRules({ portForward: false, secrets: true })).to.deep.equal([...READS, SECRETS]);
    expect(clusterRules({ portForward: true, secrets: true })).to.deep.equal([...READS, PORT_FORWARD, SECRETS]);
  });

  it('are printed as a ClusterRole that kubectl applies', () => {
    const scope = { portForward: true, secrets: true };
    expect(load(clusterRole(scope))).to.deep.equal({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'webhook-certd-cluster-check' },
      rules: clusterRules(scope).map(({ group, resources, verbs }) => ({ apiGroups: [group], resources, verbs })),
    });
  });
});

describe('the endpoints of check --cluster', () => {
  it('are reached through the API server with a kubeconfig, and directly in a Pod', () => {
    expect(throughApiServer('auto', '/home/me/.kube/config')).to.equal(true);
    expect(throughApiServer('auto', null)).to.equal(false);
  });

  it('are reached as --dial says', () => {
    for (const kubeconfig of ['/home/me/.kube/config', null]) {
      expect(throughApiServer('direct', kubeconfig)).to.equal(false);
      expect(throughApiServer('port-forward', kubeconfig)).to.equal(true);
    }
  });
});
