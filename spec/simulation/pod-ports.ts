import { concat, defer, type Observable } from 'rxjs';
import type { PodPorts } from '../../streams/pod-annotations.ts';
import { Problem } from '../../streams/problem.ts';
import type { ProcessContext } from './process-context.ts';
import type { StoredPod } from './stored-objects.ts';

/** As src/cluster/pods.ts, in the model. */
export const podPorts = ({ api, host, machine, net, scenario }: ProcessContext): Omit<PodPorts, 'random'> => {
  const annotate = (change: Partial<StoredPod>, why: string): Observable<unknown> =>
    net.request(host, 'PATCH pod', () => {
      if (!scenario.podsWritable) throw new Problem('pods/status is forbidden', 403);
      return api.pod.update({ by: machine.name, name: machine.name, why }, null, (pod) => ({ ...pod, ...change }));
    });

  let expected: string | null = null;
  return {
    acknowledgeHash: (hash) => annotate({ servingHash: hash }, 'acknowledge'),
    expectHash: (hash) =>
      defer(() => {
        const again = expected === hash;
        expected = hash;
        const set$ = annotate({ expectedHash: hash }, 'nudge');
        return again ? concat(annotate({ expectedHash: null }, 'nudge again'), set$) : set$;
      }),
  };
};
