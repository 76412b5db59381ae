import * as z from 'zod';
import { Problem } from '../../streams/problem.ts';
import { openMount } from '../certificates/mount.ts';
import type { KubeClient } from '../kube/client.ts';
import { checkAdmission } from './check-admission.ts';
import { checkApiServer } from './check-api-server.ts';
import { checkComponents } from './check-components.ts';
import { checkExpiries } from './check-expiries.ts';
import { checkLease } from './check-lease.ts';
import { checkMounts } from './check-mounts.ts';
import { checkNetwork } from './check-network.ts';
import { checkPermissions } from './check-permissions.ts';
import { checkReplicas } from './check-replicas.ts';
import { checkCa, checkSecret, checkSource } from './check-secrets.ts';
import { checkSettings } from './check-settings.ts';
import { checkTargets } from './check-targets.ts';
import { collect, type CollectOptions } from './collect.ts';
import { get } from './get.ts';
import { shellQuote } from './kubectl.ts';
import { locateInstallation, unlocated } from './locate.ts';
import type { Check } from './report.ts';
import { type CheckResult, fail, skipped } from './result.ts';
import type { ClusterSnapshot } from './snapshot.ts';

interface CheckOptions extends Omit<CollectOptions, 'client' | 'version' | 'located' | 'mount'> {
  /** @throws Problem when no configuration names the API server */
  readonly open: () => Promise<KubeClient>;
}

const versionSchema = z.object({ gitVersion: z.string() });

const connectionRemedy = ({ config, inReplica }: CheckOptions): string => {
  if (inReplica)
    return `kubectl get networkpolicy,endpoints -n ${config.namespace} && kubectl get endpoints kubernetes`;
  const kubeconfig = config.kubeconfig === null ? '"$HOME/.kube/config"' : shellQuote(config.kubeconfig);
  return `kubectl cluster-info --kubeconfig=${kubeconfig}`;
};

/** The results when the API server cannot be reached: one failure, all other categories skipped. */
const unreachable = (options: CheckOptions, why: string): readonly Check[] => {
  const failure: CheckResult = fail('API server answers', why, connectionRemedy(options));
  return categories.flatMap(({ title }): readonly Check[] => {
    const results =
      title === 'configuration'
        ? checkSettings(unlocated(options.config))
        : [title === 'API server' ? failure : skipped(`${title} can be checked`, 'the API server does not answer')];
    return results.map((each) => ({ ...each, category: title }));
  });
};

/** Reads the installation and runs every check. Rejects on bugs only. */
export const runChecks = async (options: CheckOptions): Promise<readonly Check[]> => {
  try {
    await using client = await options.open();
    const version = await get(client, '/version', (answer) => versionSchema.parse(answer).gitVersion);
    if (version.state === 'failed') return unreachable(options, version.why);
    const versionText = version.state === 'there' ? version.value : 'unknown version';
    const located = await locateInstallation(client, options.config);
    const { config } = located;
    const mount = openMount(config.certDir);
    const snapshot = await collect({ ...options, client, located, config, mount, version: versionText });
    return categories.flatMap(({ title, run }) => run(snapshot).map((each) => ({ ...each, category: title })));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return unreachable(options, error.message);
  }
};

interface Category {
  readonly title: string;
  readonly run: (snapshot: ClusterSnapshot) => readonly CheckResult[];
}

/** Sorted by dependency: the first failure is likely to cause the later ones. */
const categories: readonly Category[] = [
  { title: 'configuration', run: ({ located }) => checkSettings(located) },
  { title: 'API server', run: checkApiServer },
  { title: 'network', run: checkNetwork },
  { title: 'components', run: checkComponents },
  { title: 'permissions', run: checkPermissions },
  { title: 'election', run: checkLease },
  { title: 'CA', run: checkCa },
  {
    title: 'certificate',
    run: (snapshot) => [...checkSource(snapshot), ...checkSecret(snapshot), ...checkExpiries(snapshot)],
  },
  { title: 'mounts', run: checkMounts },
  { title: 'replicas', run: checkReplicas },
  { title: 'caBundles', run: (snapshot) => [...checkTargets(snapshot), ...checkAdmission(snapshot)] },
];
