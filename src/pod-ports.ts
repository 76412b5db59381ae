import type { Observable } from 'rxjs';
import type { PodPorts } from '../streams/pod-annotations.ts';
import { concat, defer } from 'rxjs';
import type { ClusterPaths } from './cluster-paths.ts';
import type { Config } from './config.ts';
import type { KubeClient } from './kube/client.ts';
import { FIELD_MANAGER } from './object-states.ts';

/** The two annotations on this replica's own Pod, through pods/status: it cannot change what the Pod runs. */
export const podPorts = (
  client: KubeClient,
  { pod }: ClusterPaths,
  { annotationPrefix }: Config,
): Omit<PodPorts, 'random'> => {
  const annotate = (name: string, value: string | null): Observable<unknown> =>
    client.send({
      method: 'PATCH',
      path: `${pod}/status`,
      query: { fieldManager: FIELD_MANAGER },
      contentType: 'application/merge-patch+json',
      body: { metadata: { annotations: { [`${annotationPrefix}/${name}`]: value } } },
    });

  let expected: string | null = null;
  return {
    acknowledgeHash: (hash) => annotate('serving-hash', hash),
    expectHash: (hash) =>
      defer(() => {
        // The kubelet acts on a change only: the same hash again is taken away first.
        const again = expected === hash;
        expected = hash;
        const set$ = annotate('expected-hash', hash);
        return again ? concat(annotate('expected-hash', null), set$) : set$;
      }),
  };
};
