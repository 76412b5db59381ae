import { NEVER, of } from 'rxjs';
import type { ObservationPorts } from '../../streams/observe-cluster.ts';
import type { WatchPort } from '../../streams/watch-port.ts';
import type { Config } from '../config/config.ts';
import type { KubeClient } from '../kube/client.ts';
import { watchObjects, watchSeconds } from '../kube/watch-objects.ts';
import { decode } from './decode.ts';
import type { ClusterPaths, NamedPath } from './paths.ts';
import { podObject } from './pods.ts';

/** An external issuer keeps its CA to itself. */
const nothing: WatchPort<never> = { list: () => of({ items: [], resourceVersion: '0' }), watch: () => NEVER };

/** The leader's watches: each object by its name, the Pods by POD_SELECTOR; never anything else of the cluster (L4). */
export const observationPorts = (client: KubeClient, paths: ClusterPaths, config: Config): ObservationPorts => {
  const byName = <T>({ collection, name }: NamedPath, parse: (object: unknown) => T): WatchPort<T> =>
    watchObjects(client, {
      path: collection,
      query: { fieldSelector: `metadata.name=${name}` },
      parse,
      timeoutSeconds: watchSeconds,
    });

  return {
    secretWatch: byName(paths.secret, decode.secret),
    caWatch: config.issuer.keepsCa ? byName(paths.ca, decode.ca) : nothing,
    targets: paths.targets.map((target) => ({
      id: target.id,
      watch: byName(target, decode.target(target.type)),
    })),
    replicaWatch: watchObjects(client, {
      path: paths.pods,
      query: { labelSelector: config.podSelector },
      parse: podObject(config.annotationPrefix),
      timeoutSeconds: watchSeconds,
    }),
  };
};
