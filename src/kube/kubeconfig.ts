import type { RequestOptions } from 'node:https';
import { delimiter } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import type { Access, Credentials } from './credentials.ts';
import { ApiError, redact } from './errors.ts';

/** @throws KubeProblem when the current context names no server that can be called */
const serverOf = (config: KubeConfig, paths: string): string => {
  const server = config.getCurrentCluster()?.server;
  if (!server) throw new ApiError(`kubeconfig ${paths}: the current context names no cluster`);
  const url = URL.parse(server);
  if (url !== null && ['http:', 'https:'].includes(url.protocol)) return server;
  throw new ApiError(`kubeconfig ${paths}: the server of the current context is not a URL of http or https`);
};

const accessOf = async (config: KubeConfig, paths: string): Promise<Access> => {
  const server = serverOf(config, paths);
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (error) {
    throw new ApiError(`credentials of kubeconfig ${paths}: ${whyOf(error)}`);
  }
  const { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername } = options;
  const headers = Object.entries(options.headers ?? {}).map(([name, value]) => [
    name.toLowerCase(),
    String(value).trim(),
  ]);
  if (typeof options.auth === 'string')
    headers.push(['authorization', `Basic ${Buffer.from(options.auth).toString('base64')}`]);
  return {
    server,
    headers: Object.fromEntries(headers) as Record<string, string>,
    tls: Object.fromEntries(
      Object.entries({ ca, cert, key, pfx, passphrase, rejectUnauthorized, servername }).filter(
        ([, value]) => value !== undefined,
      ),
    ),
    proxyUrl: config.getCurrentCluster()?.proxyUrl ?? null,
  };
};

/**
 * Everything client-node's KubeConfig knows: contexts, client certificates, exec and OIDC plugins, impersonation,
 * tls-server-name, insecure-skip-tls-verify, proxy-url. It is asked before each request, so an expired exec credential is
 * renewed and changed certificate files are seen.
 *
 * @param paths One path or several joined as in KUBECONFIG. Rejects with a {@link ApiError} when they cannot be used.
 */
export const kubeconfigCredentials = async (paths: string): Promise<Credentials> => {
  let last = await loadKubeconfig(paths);
  const server = serverOf(last, paths);
  let stale = false;
  // Several requests at once must not start several exec plugins.
  let flight: Promise<Access> | null = null;

  const ask = async (): Promise<Access> => {
    if (stale) {
      stale = false;
      last = await reloadKubeconfig(paths, last);
    }
    return await accessOf(last, paths);
  };

  return {
    server,
    access() {
      if (flight !== null) return flight;
      const mine = ask().finally(() => {
        if (flight === mine) flight = null;
      });
      return (flight = mine);
    },
    forget() {
      stale = true;
      flight = null;
    },
  };
};

/**
 * Why something in a kubeconfig failed, without quoting it: a YAML or JSON error carries a piece of the text around it,
 * and that text is full of credentials.
 */
const whyOf = (error: unknown): string => {
  if (!(error instanceof Error)) return 'it failed';
  if ('code' in error && typeof error.code === 'string') return error.code;
  if (error.name === 'YAMLException') return 'it is not YAML';
  if (error instanceof SyntaxError) return 'the exec plugin did not answer JSON';
  if (error instanceof TypeError) return 'it is not a usable kubeconfig';
  return redact(error.message) || 'the exec plugin failed without a word';
};

/** @throws KubeProblem when a file cannot be used */
const loadKubeconfig = async (paths: string): Promise<KubeConfig> => {
  // Bundled, its index would carry every generated API class: 4.2 MB instead of 1.3 and 30 MiB more at run time.
  const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js');
  const config = new KubeConfig();
  for (const path of paths.split(delimiter).filter(Boolean)) {
    try {
      const part = new KubeConfig();
      part.loadFromFile(path);
      config.mergeConfig(part, Boolean(config.currentContext));
    } catch (error) {
      throw new ApiError(`kubeconfig ${path}: ${whyOf(error)}`);
    }
  }
  return config;
};

/** What the files say now; while they cannot be read, what they said, with nothing cached by its plugins. */
const reloadKubeconfig = async (paths: string, last: KubeConfig): Promise<KubeConfig> => {
  const context = last.getCurrentContext();
  try {
    const config = await loadKubeconfig(paths);
    config.setCurrentContext(context);
    if (config.getCurrentCluster()?.server !== undefined) return config;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
  const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js');
  const { clusters, users, contexts } = last;
  const config = new KubeConfig();
  config.loadFromOptions({ clusters, users, contexts, currentContext: context });
  return config;
};
