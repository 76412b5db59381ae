import * as z from 'zod';
import { Problem } from '../../streams/problem.ts';
import type { KubeClient } from '../kube/client.ts';
import { checkAdmission } from './check-admission.ts';
import { checkApiServer } from './check-api-server.ts';
import { checkCa } from './check-ca.ts';
import { checkConfiguration } from './check-configuration.ts';
import { checkExpiries } from './check-expiries.ts';
import { checkLease } from './check-lease.ts';
import { checkMounts } from './check-mounts.ts';
import { checkNetwork } from './check-network.ts';
import { checkPermissions } from './check-permissions.ts';
import { checkReplicas } from './check-replicas.ts';
import { checkSecret } from './check-secret.ts';
import { checkTargets } from './check-targets.ts';
import { collect, type Gathering } from './collect.ts';
import { get } from './get.ts';
import { shellQuote } from './kubectl.ts';
import { type Check, type CheckResult, result } from './result.ts';
import type { ClusterSnapshot } from './snapshot.ts';

interface Examination extends Omit<Gathering, 'client' | 'version'> {
  /** @throws Problem when nothing says where the API server is */
  readonly open: () => Promise<KubeClient>;
}

const versionSchema = z.object({ gitVersion: z.string() });

const reach = ({ config, inReplica }: Examination): string => {
  if (inReplica)
    return `kubectl get networkpolicy,endpoints -n ${config.namespace} && kubectl get endpoints kubernetes`;
  const kubeconfig = config.kubeconfig === null ? '"$HOME/.kube/config"' : shellQuote(config.kubeconfig);
  return `kubectl cluster-info --kubeconfig=${kubeconfig}`;
};

/** Nothing more can be said: one failure, and everything else untold. */
const blind = (examination: Examination, why: string): readonly Check[] => {
  const answers: CheckResult = result.fail('API server answers', why, reach(examination));
  return sections.flatMap(({ title }): readonly Check[] => {
    const told =
      title === 'configuration'
        ? checkConfiguration(examination.config)
        : [
            title === 'API server'
              ? answers
              : result.skipped(`${title} can be looked at`, 'the API server does not answer'),
          ];
    return told.map((each) => ({ ...each, section: title }));
  });
};

/** Looks at everything and says what is to be said of it. Never rejects but for a bug. */
export const runChecks = async (examination: Examination): Promise<readonly Check[]> => {
  try {
    await using client = await examination.open();
    const version = await get(client, '/version', (answer) => versionSchema.parse(answer).gitVersion);
    if (version.state === 'failed') return blind(examination, version.why);
    const known = version.state === 'there' ? version.value : 'version not told';
    const evidence = await collect({ ...examination, client, version: known });
    return sections.flatMap(({ title, judge }) => judge(evidence).map((each) => ({ ...each, section: title })));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return blind(examination, error.message);
  }
};

interface Section {
  readonly title: string;
  readonly judge: (evidence: ClusterSnapshot) => readonly CheckResult[];
}

/** In the order in which one thing rests on another: the first failure is likely to be the cause of the rest. */
const sections: readonly Section[] = [
  { title: 'configuration', judge: ({ config }) => checkConfiguration(config) },
  { title: 'API server', judge: checkApiServer },
  { title: 'network', judge: checkNetwork },
  { title: 'permissions', judge: checkPermissions },
  { title: 'election', judge: checkLease },
  { title: 'CA', judge: checkCa },
  { title: 'certificate', judge: (evidence) => [...checkSecret(evidence), ...checkExpiries(evidence)] },
  { title: 'mounts', judge: checkMounts },
  { title: 'replicas', judge: checkReplicas },
  { title: 'caBundles', judge: (evidence) => [...checkTargets(evidence), ...checkAdmission(evidence)] },
];
