import { NEVER, Subject } from 'rxjs';
import type { Mount } from '../../src/certificates/mount.ts';
import { clusterPaths } from '../../src/cluster/paths.ts';
import type { Config } from '../../src/config/config.ts';
import { replicaPolicy, replicaPorts } from '../../src/daemon/ports.ts';
import { openKubeClient } from '../../src/kube/client.ts';
import type { InCluster } from '../../src/kube/in-cluster.ts';
import type { TlsEndpoint } from '../../src/webhook/serving.ts';
import { replica, type ReplicaStreams } from '../../streams/replica.ts';

/** Serves nothing, and finds what it was given. */
const noFace = (): TlsEndpoint => {
  let fingerprint = '';
  return {
    serve: (pair) => Promise.resolve((fingerprint = pair.leaf.fingerprint)),
    handshake: () => Promise.resolve({ fingerprint }),
    retire: () => undefined,
    drain: () => Promise.resolve(),
    address: null,
  };
};

/**
 * A replica as the daemon runs it, less what makes it a process: the real streams, the real client with connections of
 * its own, the real checks of a certificate, election and issuance; no TLS server, probes, metrics or log.
 */
export const fleetReplica = async (config: Config, inCluster: InCluster, mount: Mount): Promise<ReplicaStreams> => {
  const client = await openKubeClient({ kubeconfig: null, inCluster, userAgent: 'webhook-certd/fleet' });
  return replica(
    replicaPorts({ client, mount, server: noFace(), neighbour: null, refresh$: NEVER }, clusterPaths(config), config),
    replicaPolicy(config),
    new Subject(),
  );
};
