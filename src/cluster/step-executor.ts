import { catchError, concat, concatMap, from, map, type Observable, of, throwError } from 'rxjs';
import type { LeaderPorts, ObjectStep } from '../../streams/leader.ts';
import type { CertificateFacts } from '../../streams/model.ts';
import type { Touched } from '../../streams/observe-cluster.ts';
import { Problem } from '../../streams/problem.ts';
import type { Account } from '../../streams/step.ts';
import type { KubeClient } from '../kube/client.ts';
import { understand } from '../kube/errors.ts';
import type { KubeRequest } from '../kube/request.ts';
import { FIELD_MANAGER, objectStates } from './decode.ts';
import type { ClusterPaths } from './paths.ts';
import { type SecretObject, secretObject } from './secrets.ts';
import type { NewSecrets } from './self-signed-issuer.ts';
import { targetObject } from './targets.ts';

/** Carries out one write of the leader, and reads back what became of it. */
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

  const accountNow = ({ object }: Account): Observable<Touched> =>
    get(paths[object].path).pipe(
      map((now) =>
        understand('a Secret', () =>
          object === 'secret'
            ? { object, state: objectStates.secret(now) }
            : { object, state: objectStates.authority(now) },
        ),
      ),
    );

  /** What counts is what stands there; when that cannot be read, what the API server said of the write, which it took. */
  const readBack = (step: ObjectStep, written: unknown): Observable<unknown> =>
    get(standing(step)).pipe(
      catchError((error: unknown) => (error instanceof Problem ? of(written) : throwError(() => error))),
    );

  const request = stepRequest(client, paths, issue);

  return {
    refresh: (step) => {
      const object$ = get(standing(step)).pipe(map((object) => understand(step.kind, () => touch(step, object))));
      return step.kind === 'inject' && step.account !== undefined ? concat(accountNow(step.account), object$) : object$;
    },
    perform: (step, fence) =>
      request(step).pipe(
        concatMap((write) => {
          if (!fence()) return throwError(() => new Problem('no longer the leader, nothing was written'));
          return client.send(write);
        }),
        concatMap((written) => (step.kind === 'inject' ? readBack(step, written) : of(written))),
        map((object) => understand(step.kind, () => touch(step, object))),
      ),
  };
};

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
const stepRequest = (
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

/** New values of a Secret; null removes a key. */
type SecretValues = Readonly<Record<string, string | null>>;

const encoded = (values: SecretValues): Readonly<Record<string, string | null>> =>
  Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, value === null ? null : Buffer.from(value).toString('base64')]),
  );

/** Requests that write an object, each with the resourceVersion it was decided on (L3) and under one field manager. */
export const objectWrites = {
  createSecret: (
    path: { readonly collection: string; readonly name: string },
    type: 'Opaque' | 'kubernetes.io/tls',
    values: Readonly<Record<string, string>>,
    fieldManager: string,
  ): KubeRequest => ({
    method: 'POST',
    path: path.collection,
    query: { fieldManager },
    body: { apiVersion: 'v1', kind: 'Secret', type, metadata: { name: path.name }, data: encoded(values) },
  }),

  patchSecret: (path: string, resourceVersion: string, values: SecretValues, fieldManager: string): KubeRequest => ({
    method: 'PATCH',
    path,
    query: { fieldManager },
    contentType: 'application/merge-patch+json',
    body: { metadata: { resourceVersion }, data: encoded(values) },
  }),

  /**
   * Sets fields by JSON pointer and nothing else. Replacing the resourceVersion makes the API server answer 409 when
   * the object, and with it the order of its webhooks, is no longer the one the pointers were made for.
   */
  setFields: (
    path: string,
    resourceVersion: string,
    fields: readonly { readonly pointer: string; readonly value: string }[],
    fieldManager: string,
  ): KubeRequest => ({
    method: 'PATCH',
    path,
    query: { fieldManager },
    contentType: 'application/json-patch+json',
    body: [
      { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
      ...fields.map(({ pointer, value }) => ({
        op: 'add',
        path: pointer,
        value: Buffer.from(value).toString('base64'),
      })),
    ],
  }),
};
