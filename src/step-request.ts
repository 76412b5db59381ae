import { concatMap, from, map, of } from 'rxjs';
import type { Observable } from 'rxjs';
import type { ObjectStep } from '../streams/leader.ts';
import type { CertificateFacts } from '../streams/model.ts';
import { Problem } from '../streams/problem.ts';
import type { Account } from '../streams/step.ts';
import type { ClusterPaths } from './cluster-paths.ts';
import type { KubeClient } from './kube/client.ts';
import type { KubeRequest } from './kube/kube-request.ts';
import { objectWrites } from './kube/object-writes.ts';
import { secretObject } from './kube/secret-object.ts';
import type { SecretObject } from './kube/secret-object.ts';
import { targetObject } from './kube/target-object.ts';
import { understand } from './kube/understand.ts';
import type { NewSecrets } from './new-secrets.ts';
import { FIELD_MANAGER } from './object-states.ts';

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
 * The request that carries out one step. Private keys are read from the cluster when something is signed with them and
 * let go right after; nothing is kept between two steps.
 */
export const stepRequest = (
  client: KubeClient,
  paths: ClusterPaths,
  issue: NewSecrets,
): ((step: ObjectStep) => Observable<KubeRequest>) => {
  const get = (path: string): Observable<unknown> => client.send({ method: 'GET', path });
  const secretOf = (object: unknown): SecretObject => understand('a Secret', () => secretObject(object));

  const stillStands = ({ object, state }: Account): Observable<SecretObject> =>
    get(paths[object].path).pipe(map((now) => unmoved(secretOf(now), state)));

  return (step) => {
    switch (step.kind) {
      case 'issue-authority': {
        const { basis } = step;
        const kept = pemOf(step.keep);
        if (basis === 'absent') {
          return from(issue.authority(null, kept)).pipe(
            map((values) => objectWrites.createSecret(paths.authority, 'Opaque', values, FIELD_MANAGER)),
          );
        }
        return stillStands({ object: 'authority', state: basis }).pipe(
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
        return stillStands({ object: 'authority', state: step.authority }).pipe(
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
          map((object) => understand(step.target, () => targetObject(type, FIELD_MANAGER)(object))),
          map((object) => unmoved(object, step.basis)),
          concatMap((object) =>
            step.account === undefined ? of(object) : stillStands(step.account).pipe(map(() => object)),
          ),
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
};
