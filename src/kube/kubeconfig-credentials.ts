import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import type { Access, Credentials } from './credentials.ts';
import { KubeProblem } from './kube-problem.ts';
import { loadKubeconfig, reloadKubeconfig, whyOf } from './kubeconfig-files.ts';

/** @throws KubeProblem when the current context names no server that can be called */
function serverOf(config: KubeConfig, paths: string): string {
  const server = config.getCurrentCluster()?.server;
  if (!server) throw new KubeProblem(`kubeconfig ${paths}: the current context names no cluster`);
  const url = URL.parse(server);
  if (url !== null && ['http:', 'https:'].includes(url.protocol)) return server;
  throw new KubeProblem(`kubeconfig ${paths}: the server of the current context is not a URL of http or https`);
}

async function accessOf(config: KubeConfig, paths: string): Promise<Access> {
  const server = serverOf(config, paths);
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (error) {
    throw new KubeProblem(`credentials of kubeconfig ${paths}: ${whyOf(error)}`);
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
}

/**
 * Everything client-node's KubeConfig knows: contexts, client certificates, exec and OIDC plugins, impersonation,
 * tls-server-name, insecure-skip-tls-verify, proxy-url. It is asked before each request, so an expired exec credential is
 * renewed and changed certificate files are seen.
 *
 * @param paths One path or several joined as in KUBECONFIG. Rejects with a {@link KubeProblem} when they cannot be used.
 */
export async function kubeconfigCredentials(paths: string): Promise<Credentials> {
  let last = await loadKubeconfig(paths);
  const server = serverOf(last, paths);
  let stale = false;
  // Several requests at once must not start several exec plugins.
  let flight: Promise<Access> | null = null;

  async function ask(): Promise<Access> {
    if (stale) {
      stale = false;
      last = await reloadKubeconfig(paths, last);
    }
    return await accessOf(last, paths);
  }

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
}
