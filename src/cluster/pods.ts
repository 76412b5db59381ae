import { concat, defer, type Observable } from 'rxjs';
import * as z from 'zod/mini';
import type { Replica } from '../../streams/model.ts';
import type { PodPorts } from '../../streams/pod-annotations.ts';
import type { Config } from '../config/config.ts';
import type { KubeClient } from '../kube/client.ts';
import { FIELD_MANAGER } from '../kube/managed-fields.ts';
import type { ClusterPaths } from './paths.ts';

/** Writes the two annotations on this replica's Pod, through pods/status, which cannot change what the Pod runs. */
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
        // The kubelet acts only on a change, so that a repeated hash is removed first.
        const again = expected === hash;
        expected = hash;
        const set$ = annotate('expected-hash', hash);
        return again ? concat(annotate('expected-hash', null), set$) : set$;
      }),
  };
};

const schema = z.object({
  metadata: z.object({
    name: z.string(),
    annotations: z.nullish(z.record(z.string(), z.string())),
    deletionTimestamp: z.nullish(z.string()),
  }),
});

/**
 * Decodes the metadata of a Pod as a replica. Its deletionTimestamp is when it will have been killed, grace included;
 * until then it may still answer calls.
 */
export const replicaObject =
  (annotationPrefix: string) =>
  (object: unknown): Replica => {
    const { name, annotations, deletionTimestamp } = schema.parse(object).metadata;
    return {
      name,
      servingHash: annotations?.[`${annotationPrefix}/serving-hash`] ?? null,
      goneAtMs: deletionTimestamp == null ? null : Date.parse(deletionTimestamp),
    };
  };

/**
 * Selects the Pods that may be serving (D-012). A Pod without a node has read no certificate yet and will read the current
 * one when it starts; one that has finished serves nothing.
 */
export const MAY_BE_SERVING = 'spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed';
