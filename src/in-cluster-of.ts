import type { InCluster } from './kube/in-cluster-credentials.ts';

/**
 * Where the API server is, as the kubelet tells every container by its environment; null outside a pod. SERVICE_ACCOUNT_DIR
 * is for a token that is projected to another place than the kubelet's own.
 */
export const inClusterOf = (env: Readonly<Record<string, string | undefined>>): InCluster | null => {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443', SERVICE_ACCOUNT_DIR: directory } = env;
  if (host === undefined) return null;
  return { host, port, ...(directory === undefined ? {} : { directory }) };
};
