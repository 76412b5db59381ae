import { openMount } from '../certificates/mount.ts';
import { forKubeconfig, report } from '../check/result.ts';
import { runChecks } from '../check/run-checks.ts';
import { timeText } from '../check/time-text.ts';
import type { Config } from '../config/config.ts';
import { openKubeClient } from '../kube/client.ts';
import type { InCluster } from '../kube/in-cluster.ts';

interface CheckSurroundings {
  readonly inCluster: InCluster | null;
  readonly version: string;
  /** Prints one text and ends its line. */
  readonly print: (text: string) => void;
  readonly colours: boolean;
  /** KUBECONFIG of the shell that remedies will be pasted into; undefined: the one that the check goes by. */
  readonly shellKubeconfig?: string | null;
}

/**
 * `webhook-certd check`: looks at the whole installation, changes nothing, and says what is wrong and what mends it.
 *
 * @returns the exit code: 0 when all is good or only warned of, 1 when something failed
 */
export const runCheck = async (
  config: Config,
  own: { readonly json: boolean },
  surroundings: CheckSurroundings,
): Promise<number> => {
  const { inCluster, version, print, colours } = surroundings;
  const { kubeconfig } = config;
  const { shellKubeconfig = kubeconfig } = surroundings;
  const found = await runChecks({
    open: () => openKubeClient({ kubeconfig, inCluster, userAgent: `webhook-certd-check/${version}` }),
    config,
    mount: openMount(config.certDir),
    inReplica: inCluster !== null && kubeconfig === null,
    onWait: (atMostMs) =>
      own.json ? undefined : print(`watching the Lease for a renewal, for ${timeText.span(atMostMs)} at most …\n`),
  });
  const checks = forKubeconfig(found, kubeconfig, shellKubeconfig);
  print(own.json ? report.json(checks) : report.text(checks, colours));
  return report.isGood(checks) ? 0 : 1;
};
