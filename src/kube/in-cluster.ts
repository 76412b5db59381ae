import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../util/errors.ts';
import { monotonicMs } from '../util/time.ts';
import type { Access, Credentials } from './connection-pool.ts';
import { ApiError } from './errors.ts';

/**
 * Reads the address of the API server from the environment that the kubelet sets in every container; null outside a pod.
 * SERVICE_ACCOUNT_DIR is for a token that is projected to another directory than the default.
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
    // Outside a pod the file does not exist.
    return null;
  }
};

/** Address and credentials directory of the API server inside a pod. */
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

/** Reads a file synchronously: the kubelet mounts both in memory, and Node's thread pool would add four turns to a start. */
const readText = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ApiError(`credentials: cannot read the service account file ${path}: ${errnoOf(error)}`);
  }
};

/**
 * Credentials from the service account: a bearer token file and a CA file, read again once a minute. It replaces
 * `KubeConfig.loadFromCluster`, whose import costs every replica 75 MiB and 0.3 s. As in client-go, the last values stay
 * in use while the files cannot be read.
 *
 * @param nowMs a monotonic clock
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
