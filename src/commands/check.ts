import { hasPassed, reportJson, reportText, withKubectl } from '../check/report.ts';
import { runChecks } from '../check/run-checks.ts';
import type { Config } from '../config/config.ts';
import { openKubeClient } from '../kube/client.ts';
import type { InCluster } from '../kube/in-cluster.ts';
import { formatSpan } from '../util/time.ts';

interface CheckDependencies {
  readonly inCluster: InCluster | null;
  readonly version: string;
  /** Prints one text and ends its line. */
  readonly print: (text: string) => void;
  readonly colours: boolean;
  /** The context of the kubeconfig; null for the current one. */
  readonly context?: string | null;
  /** How the shell that remedies will be pasted into calls kubectl for this cluster. */
  readonly kubectl?: string;
}

/**
 * `webhook-certd check`: diagnoses an installation without changing it, and prints a command to fix each problem.
 *
 * @returns the exit code: 0 without failures (warnings are allowed), else 1
 */
export const runCheck = async (
  config: Config,
  flags: { readonly json: boolean },
  dependencies: CheckDependencies,
): Promise<number> => {
  const { inCluster, version, print, colours, context = null, kubectl = 'kubectl' } = dependencies;
  const { kubeconfig } = config;
  const results = await runChecks({
    open: () => openKubeClient({ kubeconfig, context, inCluster, userAgent: `webhook-certd-check/${version}` }),
    config,
    inReplica: inCluster !== null && kubeconfig === null,
    onWait: (atMostMs) =>
      flags.json ? undefined : print(`Waiting for a renewal of the Lease, ${formatSpan(atMostMs)} at most …\n`),
  });
  const checks = withKubectl(results, kubectl);
  print(flags.json ? reportJson(checks) : reportText(checks, colours));
  return hasPassed(checks) ? 0 : 1;
};
