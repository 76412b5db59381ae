import { fileURLToPath } from 'node:url';
import { dump, loadAll } from 'js-yaml';
import { kubectl } from './kubectl.ts';

const BASE = fileURLToPath(new URL('../../manifests/base', import.meta.url));

export interface Container {
  name: string;
  image: string;
  imagePullPolicy?: string;
  env: { name: string; value?: string }[];
  startupProbe?: object;
  restartPolicy?: string;
  [field: string]: unknown;
}

export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
  data?: Record<string, string>;
  webhooks?: readonly unknown[];
  spec?: {
    template?: {
      spec: { containers: Container[]; initContainers?: Container[]; volumes: unknown[]; [field: string]: unknown };
      [field: string]: unknown;
    };
    [field: string]: unknown;
  };
}

/** As `kubectl apply -f -` takes it. */
export const manifestsText = (manifests: readonly Manifest[]): string =>
  manifests.map((manifest) => dump(manifest)).join('---\n');

/**
 * The base as `kubectl apply -f -` takes it, with this image (which must already be on the nodes, or pullable) and these
 * variables added.
 *
 * @param change adds or changes what else is needed
 * @param installation prints what stands in place of the base
 */
export const renderedManifests = async (
  image: string,
  env: Readonly<Record<string, string>>,
  change: (manifests: readonly Manifest[]) => readonly Manifest[] = (manifests) => manifests,
  installation: () => Promise<string> = () => kubectl(['kustomize', BASE]),
): Promise<string> => {
  const versions = (await kubectl(['api-versions'])).split('\n');
  const manifests = loadAll(await installation()) as Manifest[];
  for (const manifest of manifests) {
    if (manifest.kind === 'PodDisruptionBudget' && !versions.includes('policy/v1'))
      manifest.apiVersion = 'policy/v1beta1';
    for (const container of manifest.spec?.template?.spec.containers ?? []) {
      container.image = image;
      container.imagePullPolicy = 'IfNotPresent';
      container.env.push(...Object.entries(env).map(([name, value]) => ({ name, value })));
    }
  }
  return manifestsText(change(manifests));
};
