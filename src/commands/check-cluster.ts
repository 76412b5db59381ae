import { homedir } from 'node:os';
import { join } from 'node:path';
import { Problem } from '../../streams/problem.ts';
import { clusterRole, type Dial, throughApiServer } from '../check/cluster-access.ts';
import { direct } from '../check/cluster-probe.ts';
import { isSound, reportCluster } from '../check/cluster-report.ts';
import { surveyCluster } from '../check/cluster-survey.ts';
import { clusterJson, clusterText } from '../check/cluster-text.ts';
import { tunnelled } from '../check/cluster-tunnel.ts';
import { type KubeClient, openKubeClient } from '../kube/client.ts';
import type { InCluster } from '../kube/in-cluster.ts';

export interface ClusterOptions {
  readonly json: boolean;
  /** Only the hooks whose Service is in this namespace; null for all. */
  readonly namespace: string | null;
  readonly warnBeforeMs: number;
  readonly dial: Dial;
  readonly secrets: boolean;
  readonly html: string | null;
  readonly metricsFile: string | null;
  readonly rbac: boolean;
}

interface ClusterDependencies {
  readonly kubeconfig: string | null;
  readonly inCluster: InCluster | null;
  readonly version: string;
  /** Prints one text and ends its line. */
  readonly print: (text: string) => void;
  readonly printError: (text: string) => void;
  readonly colours: boolean;
}

/** As kubectl: KUBECONFIG, else the Pod's account, else the file in the home directory. */
const kubeconfigOf = ({ kubeconfig, inCluster }: ClusterDependencies): string | null =>
  kubeconfig ?? (inCluster === null ? join(homedir(), '.kube', 'config') : null);

const open = (kubeconfig: string | null, { inCluster, version }: ClusterDependencies): Promise<KubeClient> =>
  openKubeClient({ kubeconfig, inCluster, userAgent: `webhook-certd-check/${version}` });

/**
 * `webhook-certd check --cluster`: which webhook of a cluster fails next, and why. Changes nothing in the cluster.
 *
 * @returns the exit code: 0 when none fails, else 1
 */
export const runCheckCluster = async (options: ClusterOptions, dependencies: ClusterDependencies): Promise<number> => {
  const { print, printError, colours } = dependencies;
  const kubeconfig = kubeconfigOf(dependencies);
  const portForward = throughApiServer(options.dial, kubeconfig);
  if (options.rbac) {
    print(clusterRole({ portForward, secrets: options.secrets }));
    return 0;
  }
  try {
    await using client = await open(kubeconfig, dependencies);
    const survey = await surveyCluster({
      client,
      reach: portForward ? tunnelled(client) : direct,
      namespace: options.namespace,
      secrets: options.secrets,
    });
    const report = reportCluster(survey, options);
    print(options.json ? clusterJson(report) : clusterText(report, colours));
    return isSound(report) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    printError(`webhook-certd: ${error.message}`);
    return 1;
  }
};
