import { delimiter } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { KubeProblem } from './kube-problem.ts';
import { redact } from './redact.ts';

/**
 * Why something in a kubeconfig failed, without quoting it: a YAML or JSON error carries a piece of the text around it,
 * and that text is full of credentials.
 */
export function whyOf(error: unknown): string {
  if (!(error instanceof Error)) return 'it failed';
  if ('code' in error && typeof error.code === 'string') return error.code;
  if (error.name === 'YAMLException') return 'it is not YAML';
  if (error instanceof SyntaxError) return 'the exec plugin did not answer JSON';
  if (error instanceof TypeError) return 'it is not a usable kubeconfig';
  return redact(error.message) || 'the exec plugin failed without a word';
}

/** @throws KubeProblem when a file cannot be used */
export async function loadKubeconfig(paths: string): Promise<KubeConfig> {
  // Bundled, its index would carry every generated API class: 4.2 MB instead of 1.3 and 30 MiB more at run time.
  const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js');
  const config = new KubeConfig();
  for (const path of paths.split(delimiter).filter(Boolean)) {
    try {
      const part = new KubeConfig();
      part.loadFromFile(path);
      config.mergeConfig(part, Boolean(config.currentContext));
    } catch (error) {
      throw new KubeProblem(`kubeconfig ${path}: ${whyOf(error)}`);
    }
  }
  return config;
}

/** What the files say now; while they cannot be read, what they said, with nothing cached by its plugins. */
export async function reloadKubeconfig(paths: string, last: KubeConfig): Promise<KubeConfig> {
  const context = last.getCurrentContext();
  try {
    const config = await loadKubeconfig(paths);
    config.setCurrentContext(context);
    if (config.getCurrentCluster()?.server !== undefined) return config;
  } catch (error) {
    if (!(error instanceof KubeProblem)) throw error;
  }
  const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js');
  const { clusters, users, contexts } = last;
  const config = new KubeConfig();
  config.loadFromOptions({ clusters, users, contexts, currentContext: context });
  return config;
}
