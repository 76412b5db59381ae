import type { Manifest } from '../../src/manifests/installation.ts';
import type { Kubectl } from './kubectl-for.ts';

/**
 * A list of the objects for `kubectl apply -f -`, as far as this version of Kubernetes knows their kinds, and with the name that an
 * older one has for a disruption budget.
 */
export const knownKinds = async (kubectl: Kubectl, objects: readonly Manifest[]): Promise<readonly Manifest[]> => {
  const versions = (await kubectl.run(['api-versions'])).split('\n');
  const hasPolicies = versions.includes('resource.k8s.io/v1');
  return objects
    .map((each) =>
      each.object.apiVersion === 'policy/v1' && !versions.includes('policy/v1')
        ? { ...each, object: { ...each.object, apiVersion: 'policy/v1beta1' } }
        : each,
    )
    .filter(({ object: { apiVersion, kind } }) =>
      kind.startsWith('ValidatingAdmission') ? hasPolicies : versions.includes(apiVersion),
    );
};

export const listOf = (objects: readonly Manifest[]): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects.map(({ object }) => object) });
