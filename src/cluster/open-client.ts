import type { Config } from '../config/config.ts';
import { type KubeClient, openKubeClient } from '../kube/client.ts';
import type { InCluster } from '../kube/in-cluster.ts';

/**
 * Opens the client of a replica and starts its first connection, so that connecting overlaps with loading the rest.
 *
 * @throws ApiError when neither kubeconfig nor Pod says how to reach the API server
 */
export const openClient = async (
  { kubeconfig }: Config,
  inCluster: InCluster | null,
  version: string,
): Promise<KubeClient> => {
  const client = await openKubeClient({ kubeconfig, inCluster, userAgent: `webhook-certd/${version}` });
  void client.connect();
  return client;
};
