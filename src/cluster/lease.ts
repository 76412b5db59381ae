import { catchError, defer, map, of, throwError } from 'rxjs';
import type { LeasePorts } from '../../streams/lease-snapshot.ts';
import type { LeaseWritePort } from '../../streams/lease-writer.ts';
import { Problem } from '../../streams/problem.ts';
import type { Config } from '../config/config.ts';
import type { KubeClient } from '../kube/client.ts';
import { FIELD_MANAGER } from '../kube/managed-fields.ts';
import { watchObjects, watchSeconds } from '../kube/watch-objects.ts';
import { leaseBody, leaseSchema } from './lease-codec.ts';
import type { ClusterPaths } from './paths.ts';

/** Precondition of the claim that creates a Lease that does not exist yet. */
const NO_LEASE = { holder: null, transitions: -1, resourceVersion: '' } as const;

/** Connects the core to the Lease of this installation: watched by name, read by GET, created or written by merge patch. */
export const leasePorts = (
  client: KubeClient,
  { lease }: ClusterPaths,
  config: Config,
): LeasePorts & LeaseWritePort => {
  const schema = leaseSchema(config.annotationPrefix, FIELD_MANAGER);
  const parse = (object: unknown) => schema.parse(object);
  const author = {
    identity: config.identity,
    durationMs: config.leaseDurationMs,
    annotationPrefix: config.annotationPrefix,
  };

  return {
    leaseWatch: watchObjects(client, {
      path: lease.collection,
      query: { fieldSelector: `metadata.name=${lease.name}` },
      parse,
      timeoutSeconds: watchSeconds,
    }),
    getLease: () =>
      client.send({ method: 'GET', path: lease.path }).pipe(
        map(parse),
        catchError((error: unknown) =>
          error instanceof Problem && error.status === 404 ? of(null) : throwError(() => error),
        ),
      ),
    writeLease: (change, plannedOn) =>
      defer(() => {
        const query = { fieldManager: FIELD_MANAGER };
        if (plannedOn !== null) {
          const contentType = 'application/merge-patch+json';
          const body = leaseBody(author, change, plannedOn, Date.now());
          return client.send({ method: 'PATCH', path: lease.path, query, contentType, body });
        }
        const { spec } = leaseBody(author, change, NO_LEASE, Date.now());
        const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: lease.name }, spec };
        return client.send({ method: 'POST', path: lease.collection, query, body });
      }).pipe(map(parse)),
  };
};
