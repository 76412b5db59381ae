import * as z from 'zod';
import { Problem } from '../../streams/problem.ts';
import type { KubeClient } from '../kube/client.ts';
import { judgeAdmission } from './check-admission.ts';
import { judgeApiServer } from './check-api-server.ts';
import { judgeAuthority } from './check-ca.ts';
import { judgeConfiguration } from './check-configuration.ts';
import { judgeExpiries } from './check-expiries.ts';
import { judgeLease } from './check-lease.ts';
import { judgeMounts } from './check-mounts.ts';
import { judgeNetwork } from './check-network.ts';
import { judgePermissions } from './check-permissions.ts';
import { judgeReplicas } from './check-replicas.ts';
import { judgeSecret } from './check-secret.ts';
import { judgeTargets } from './check-targets.ts';
import { gather, type Gathering } from './collect.ts';
import { look } from './get.ts';
import { shellWord } from './kubectl.ts';
import { type Check, type Verdict, verdict } from './result.ts';
import type { Evidence } from './snapshot.ts';

interface Examination extends Omit<Gathering, 'client' | 'version'> {
  /** @throws Problem when nothing says where the API server is */
  readonly open: () => Promise<KubeClient>;
}

const versionSchema = z.object({ gitVersion: z.string() });

const reach = ({ config, inReplica }: Examination): string => {
  if (inReplica)
    return `kubectl get networkpolicy,endpoints -n ${config.namespace} && kubectl get endpoints kubernetes`;
  const kubeconfig = config.kubeconfig === null ? '"$HOME/.kube/config"' : shellWord(config.kubeconfig);
  return `kubectl cluster-info --kubeconfig=${kubeconfig}`;
};

/** Nothing more can be said: one failure, and everything else untold. */
const blind = (examination: Examination, why: string): readonly Check[] => {
  const answers: Verdict = verdict.fail('API server answers', why, reach(examination));
  return sections.flatMap(({ title }): readonly Check[] => {
    const told =
      title === 'configuration'
        ? judgeConfiguration(examination.config)
        : [
            title === 'API server'
              ? answers
              : verdict.skipped(`${title} can be looked at`, 'the API server does not answer'),
          ];
    return told.map((each) => ({ ...each, section: title }));
  });
};

/** Looks at everything and says what is to be said of it. Never rejects but for a bug. */
export const examine = async (examination: Examination): Promise<readonly Check[]> => {
  try {
    await using client = await examination.open();
    const version = await look(client, '/version', (answer) => versionSchema.parse(answer).gitVersion);
    if (version.state === 'failed') return blind(examination, version.why);
    const known = version.state === 'there' ? version.value : 'version not told';
    const evidence = await gather({ ...examination, client, version: known });
    return sections.flatMap(({ title, judge }) => judge(evidence).map((each) => ({ ...each, section: title })));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return blind(examination, error.message);
  }
};

interface Section {
  readonly title: string;
  readonly judge: (evidence: Evidence) => readonly Verdict[];
}

/** In the order in which one thing rests on another: the first failure is likely to be the cause of the rest. */
const sections: readonly Section[] = [
  { title: 'configuration', judge: ({ config }) => judgeConfiguration(config) },
  { title: 'API server', judge: judgeApiServer },
  { title: 'network', judge: judgeNetwork },
  { title: 'permissions', judge: judgePermissions },
  { title: 'election', judge: judgeLease },
  { title: 'CA', judge: judgeAuthority },
  { title: 'certificate', judge: (evidence) => [...judgeSecret(evidence), ...judgeExpiries(evidence)] },
  { title: 'mounts', judge: judgeMounts },
  { title: 'replicas', judge: judgeReplicas },
  { title: 'caBundles', judge: (evidence) => [...judgeTargets(evidence), ...judgeAdmission(evidence)] },
];
