import * as z from 'zod';
import { Problem } from '../../streams/problem.ts';
import type { KubeClient } from '../kube/client.ts';
import { gather } from './gather.ts';
import type { Gathering } from './gather.ts';
import { judgeConfiguration } from './judge-configuration.ts';
import { look } from './look.ts';
import type { Check } from './report.ts';
import { sections } from './sections.ts';
import { shellWord } from './shell-word.ts';
import { verdict } from './verdict.ts';
import type { Verdict } from './verdict.ts';

export interface Examination extends Omit<Gathering, 'client' | 'version'> {
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
