import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Access, Credentials } from './credentials.ts';
import { KubeProblem } from './kube-problem.ts';
import { monotonicMs } from '../monotonic-ms.ts';

/** Where a pod finds its API server. */
export interface InCluster {
  /** KUBERNETES_SERVICE_HOST */
  readonly host: string;
  /** KUBERNETES_SERVICE_PORT */
  readonly port: string;
  /** Holds `token` and `ca.crt`; the kubelet rotates both in place. */
  readonly directory?: string;
}

const serviceAccountDirectory = '/var/run/secrets/kubernetes.io/serviceaccount';

/** As client-go's cachingTokenSource and client-node's FileAuth. The kubelet replaces a token at 80 % of its life. */
const rereadMs = 60_000;

/** By a call that blocks: the kubelet mounts both in memory, and through Node's thread pool a start would wait for four turns. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new KubeProblem(`credentials: ${path}: ${code}`);
  }
}

/**
 * What `KubeConfig.loadFromCluster` does, without the 75 MiB and 0.3 s that importing it costs every replica:
 * a bearer token file and a CA file, read again once a minute. As in client-go, what is known serves on while the files
 * cannot be read.
 *
 * @param nowMs A monotonic clock.
 */
export function inClusterCredentials(
  { host, port, directory = serviceAccountDirectory }: InCluster,
  nowMs: () => number = monotonicMs,
): Credentials {
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
  let known: Access | null = null;
  let readAtMs = -Infinity;

  function read(): Access {
    const [token, ca] = [readText(join(directory, 'token')), readText(join(directory, 'ca.crt'))];
    return { server, headers: { authorization: `Bearer ${token.trim()}` }, tls: { ca }, proxyUrl: null };
  }

  function current(): Access {
    if (known !== null && nowMs() - readAtMs < rereadMs) return known;
    try {
      known = read();
      readAtMs = nowMs();
    } catch (error) {
      if (known === null) throw error;
    }
    return known;
  }

  return {
    server,
    access: () => Promise.try(current),
    forget() {
      readAtMs = -Infinity;
    },
  };
}
