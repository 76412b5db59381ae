import { concatMap, from, map, throwError } from 'rxjs';
import type { Observable } from 'rxjs';
import type { LeaderPorts, ObjectStep } from '../streams/leader.ts';
import type { CertificateFacts } from '../streams/model.ts';
import type { Touched } from '../streams/observe-cluster.ts';
import { Problem } from '../streams/problem.ts';
import type { ClusterPaths } from './cluster-paths.ts';
import type { KubeClient } from './kube/client.ts';
import type { KubeRequest } from './kube/kube-request.ts';
import { objectWrites } from './kube/object-writes.ts';
import { secretObject } from './kube/secret-object.ts';
import type { SecretObject } from './kube/secret-object.ts';
import { targetObject } from './kube/target-object.ts';
import type { NewSecrets } from './new-secrets.ts';
import { FIELD_MANAGER, objectStates } from './object-states.ts';

const pemOf = (certificates: readonly CertificateFacts[]): string => certificates.map(({ pem }) => pem).join('');

const unmoved = <T extends { readonly resourceVersion: string }>(
  object: T,
  basis: { readonly resourceVersion: string },
): T => {
  if (object.resourceVersion !== basis.resourceVersion)
    throw new Problem('the object changed before it was written', 409);
  return object;
};

/**
 * Carries out one write of the leader. Private keys are read from the cluster when something is signed with them and
 * let go right after; nothing is kept between two steps.
 */
export const performStep = (
  client: KubeClient,
  paths: ClusterPaths,
  issue: NewSecrets,
): Pick<LeaderPorts, 'perform' | 'refresh'> => {
  const get = (path: string): Observable<unknown> => client.send({ method: 'GET', path });

  const touch = (step: ObjectStep, object: unknown): Touched => {
    if (step.kind === 'inject') {
      const { type } = paths.target(step.target);
      return { object: 'target', id: step.target, state: objectStates.target(type)(object) };
    }
    return step.kind === 'issue-leaf' || step.kind === 'publish-trust'
      ? { object: 'secret', state: objectStates.secret(object) }
      : { object: 'authority', state: objectStates.authority(object) };
  };

  const standing = (step: ObjectStep): string => {
    if (step.kind === 'inject') return paths.target(step.target).path;
    return step.kind === 'issue-leaf' || step.kind === 'publish-trust' ? paths.secret.path : paths.authority.path;
  };

  const authorityAt = (basis: { readonly resourceVersion: string }): Observable<SecretObject> =>
    get(paths.authority.path).pipe(map((object) => unmoved(secretObject(object), basis)));

  const request = (step: ObjectStep): Observable<KubeRequest> => {
    switch (step.kind) {
      case 'issue-authority': {
        const { basis } = step;
        const kept = pemOf(step.keep);
        if (basis === 'absent') {
          return from(issue.authority(null, kept)).pipe(
            map((values) => objectWrites.createSecret(paths.authority, 'Opaque', values, FIELD_MANAGER)),
          );
        }
        return authorityAt(basis).pipe(
          concatMap(({ values }) => issue.authority(values, kept)),
          map((values) => objectWrites.patchSecret(paths.authority.path, basis.resourceVersion, values, FIELD_MANAGER)),
        );
      }
      case 'adopt-authority':
      case 'narrow-authority': {
        const { basis, keep } = step;
        const own = basis.current === null ? [] : [basis.current];
        const bundle = {
          'ca-bundle.crt': pemOf([...own, ...keep]),
          ...(keep.length === 0 ? { 'ca-bridge.crt': null } : {}),
        };
        return from([objectWrites.patchSecret(paths.authority.path, basis.resourceVersion, bundle, FIELD_MANAGER)]);
      }
      case 'issue-leaf': {
        const { basis } = step;
        return authorityAt(step.authority).pipe(
          concatMap(({ values }) => issue.leaf(values, pemOf(step.authority.bundle))),
          map((values) =>
            basis === 'absent'
              ? objectWrites.createSecret(paths.secret, 'kubernetes.io/tls', values, FIELD_MANAGER)
              : objectWrites.patchSecret(paths.secret.path, basis.resourceVersion, values, FIELD_MANAGER),
          ),
        );
      }
      case 'publish-trust': {
        const { basis, trust } = step;
        return from([
          objectWrites.patchSecret(paths.secret.path, basis.resourceVersion, { 'ca.crt': pemOf(trust) }, FIELD_MANAGER),
        ]);
      }
      case 'inject': {
        const { type, path } = paths.target(step.target);
        const value = pemOf(step.trust);
        return get(path).pipe(
          map((object) => unmoved(targetObject(type, FIELD_MANAGER)(object), step.basis)),
          map(({ resourceVersion, fields }) => {
            const wrong = fields.filter(({ pem }) => pem !== value);
            return objectWrites.setFields(
              path,
              resourceVersion,
              wrong.map(({ pointer }) => ({ pointer, value })),
              FIELD_MANAGER,
            );
          }),
        );
      }
    }
  };

  return {
    refresh: (step) => get(standing(step)).pipe(map((object) => touch(step, object))),
    perform: (step, fence) =>
      request(step).pipe(
        concatMap((write) => {
          if (!fence()) return throwError(() => new Problem('no longer the leader, nothing was written'));
          return client.send(write);
        }),
        // Read back: what counts is what stands there.
        concatMap((written) => (step.kind === 'inject' ? get(standing(step)) : [written])),
        map((object) => touch(step, object)),
      ),
  };
};
