import { NEVER, of } from 'rxjs';
import type { ObservationPorts } from '../../streams/observe-cluster.ts';
import type { WatchPort } from '../../streams/watch-port.ts';
import type { Config } from '../config/config.ts';
import type { KubeClient } from '../kube/client.ts';
import { watchObjects, watchSeconds } from '../kube/watch-objects.ts';
import { decodeCa, decodeSecret, decodeSource, decodeTarget } from './decode.ts';
import type { ClusterPaths, NamedPath } from './paths.ts';
import { MAY_BE_SERVING, replicaObject } from './pods.ts';

/** Pods in one page of a list, as in client-go. */
const PAGE_OBJECTS = 500;

/** Watch of SECRET-ca for an issuer that does not keep its CA there: an empty list, and no events. */
const NO_CA: WatchPort<never> = { list: () => of({ items: [], resourceVersion: '0' }), watch: () => NEVER };

/** Opens the leader's watches: each object by its name, the Pods by POD_SELECTOR, and nothing else of the cluster (L4). */
export const observationPorts = (client: KubeClient, paths: ClusterPaths, config: Config): ObservationPorts => {
  const byName = <T>({ collection, name }: NamedPath, parse: (object: unknown) => T): WatchPort<T> =>
    watchObjects(client, {
      path: collection,
      query: { fieldSelector: `metadata.name=${name}` },
      parse,
      timeoutSeconds: watchSeconds,
    });

  return {
    secretWatch: byName(paths.secret, (object) => decodeSecret(object, paths.issuesFor, paths.relaysFor)),
    caWatch: config.issuer.keepsCa ? byName(paths.ca, decodeCa) : NO_CA,
    ...(paths.source === null
      ? {}
      : { sourceWatch: byName(paths.source, (object) => decodeSource(object, paths.relaysFor)) }),
    targets: paths.targets.map((target) => ({
      id: target.id,
      watch: byName(target, decodeTarget(target.type, paths.service)),
    })),
    replicaWatch: watchObjects(client, {
      path: paths.pods,
      query: { labelSelector: config.podSelector, fieldSelector: MAY_BE_SERVING },
      limit: PAGE_OBJECTS,
      metadataOnly: true,
      parse: replicaObject(config.annotationPrefix),
      timeoutSeconds: watchSeconds,
    }),
  };
};
