import type { InCluster } from './kube/in-cluster-credentials.ts';

/** Where the API server is, as the kubelet tells every container by its environment; null outside a pod. */
export const inClusterOf = (env: Readonly<Record<string, string | undefined>>): InCluster | null => {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = env;
  return host === undefined ? null : { host, port };
};
