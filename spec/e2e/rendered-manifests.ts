import { fileURLToPath } from 'node:url';
import { dump, loadAll } from 'js-yaml';
import { kubectl } from './kubectl.ts';

const BASE = fileURLToPath(new URL('../../manifests/base', import.meta.url));

interface Container {
  image: string;
  imagePullPolicy?: string;
  env: { name: string; value?: string }[];
}

interface Manifest {
  apiVersion: string;
  kind: string;
  spec?: { template?: { spec: { containers: Container[] } } };
}

/**
 * The base as `kubectl apply -f -` takes it, with this image (which must already be on the nodes, or pullable) and these
 * variables added.
 */
export const renderedManifests = async (image: string, env: Readonly<Record<string, string>>): Promise<string> => {
  const versions = (await kubectl(['api-versions'])).split('\n');
  const manifests = loadAll(await kubectl(['kustomize', BASE])) as Manifest[];
  for (const manifest of manifests) {
    if (manifest.kind === 'PodDisruptionBudget' && !versions.includes('policy/v1'))
      manifest.apiVersion = 'policy/v1beta1';
    for (const container of manifest.spec?.template?.spec.containers ?? []) {
      container.image = image;
      container.imagePullPolicy = 'IfNotPresent';
      container.env.push(...Object.entries(env).map(([name, value]) => ({ name, value })));
    }
  }
  return manifests.map((manifest) => dump(manifest)).join('---\n');
};
