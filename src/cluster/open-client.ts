import type { Config } from '../config/config.ts';
import { type KubeClient, openKubeClient } from '../kube/client.ts';
import type { InCluster } from '../kube/in-cluster.ts';

/**
 * The client of a replica, whose first connection is on its way: the API server answers while the rest is loaded.
 *
 * @throws KubeProblem when neither kubeconfig nor Pod says how to reach the API server
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
