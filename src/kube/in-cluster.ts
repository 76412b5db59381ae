import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { monotonicMs } from '../util/time.ts';
import type { Access, Credentials } from './credentials.ts';
import { ApiError } from './errors.ts';

/**
 * Where the API server is, as the kubelet tells every container by its environment; null outside a pod. SERVICE_ACCOUNT_DIR
 * is for a token that is projected to another place than the kubelet's own.
 */
export const inClusterAccess = (env: Readonly<Record<string, string | undefined>>): InCluster | null => {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443', SERVICE_ACCOUNT_DIR: directory } = env;
  if (host === undefined) return null;
  return { host, port, ...(directory === undefined ? {} : { directory }) };
};

const NAMESPACE_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';

/** The namespace this process runs in, as the service account's file says; null outside a pod. */
export const podNamespace = (): string | null => {
  try {
    return readFileSync(NAMESPACE_FILE, 'utf8');
  } catch {
    // Outside a pod there is none.
    return null;
  }
};

/** Where a pod finds its API server. */
export interface InCluster {
  /** KUBERNETES_SERVICE_HOST */
  readonly host: string;
  /** KUBERNETES_SERVICE_PORT */
  readonly port: string;
  /** Holds `token` and `ca.crt`; the kubelet rotates both in place. */
  readonly directory?: string;
}

const SERVICE_ACCOUNT_DIRECTORY = '/var/run/secrets/kubernetes.io/serviceaccount';

/** As client-go's cachingTokenSource and client-node's FileAuth. The kubelet replaces a token at 80 % of its life. */
const REREAD_MS = 60_000;

/** By a call that blocks: the kubelet mounts both in memory, and through Node's thread pool a start would wait for four turns. */
const readText = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new ApiError(`credentials: ${path}: ${code}`);
  }
};

/**
 * What `KubeConfig.loadFromCluster` does, without the 75 MiB and 0.3 s that importing it costs every replica:
 * a bearer token file and a CA file, read again once a minute. As in client-go, what is known serves on while the files
 * cannot be read.
 *
 * @param nowMs A monotonic clock.
 */
export const inClusterCredentials = (
  { host, port, directory = SERVICE_ACCOUNT_DIRECTORY }: InCluster,
  nowMs: () => number = monotonicMs,
): Credentials => {
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
  let known: Access | null = null;
  let readAtMs = -Infinity;

  const read = (): Access => {
    const [token, ca] = [readText(join(directory, 'token')), readText(join(directory, 'ca.crt'))];
    return { server, headers: { authorization: `Bearer ${token.trim()}` }, tls: { ca }, proxyUrl: null };
  };

  const current = (): Access => {
    if (known !== null && nowMs() - readAtMs < REREAD_MS) return known;
    try {
      known = read();
      readAtMs = nowMs();
    } catch (error) {
      if (known === null) throw error;
    }
    return known;
  };

  return {
    server,
    access: () => Promise.try(current),
    forget() {
      readAtMs = -Infinity;
    },
  };
};
