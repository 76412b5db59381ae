import { catchError, concat, concatMap, from, map, type Observable, of, throwError } from 'rxjs';
import type { LeaderPorts, ObjectStep } from '../../streams/leader.ts';
import type { CertificateInfo } from '../../streams/model.ts';
import type { WriteResult } from '../../streams/observe-cluster.ts';
import { Problem } from '../../streams/problem.ts';
import type { Precondition } from '../../streams/step.ts';
import type { KubeClient } from '../kube/client.ts';
import { decodeOrThrow } from '../kube/errors.ts';
import type { KubeRequest } from '../kube/request.ts';
import { decode, FIELD_MANAGER } from './decode.ts';
import type { ClusterPaths } from './paths.ts';
import { type SecretObject, secretObject } from './secrets.ts';
import type { SelfSignedIssuer } from './self-signed-issuer.ts';
import { targetObject } from './targets.ts';

/** Carries out one write of the leader, and reads back what became of it. */
export const stepExecutor = (
  client: KubeClient,
  paths: ClusterPaths,
  issue: SelfSignedIssuer,
): Pick<LeaderPorts, 'perform' | 'refresh'> => {
  const get = (path: string): Observable<unknown> => client.send({ method: 'GET', path });

  const touch = (step: ObjectStep, object: unknown): WriteResult => {
    if (step.kind === 'inject') {
      const { type } = paths.target(step.target);
      return { object: 'target', id: step.target, state: decode.target(type)(object) };
    }
    return step.kind === 'issue-leaf' || step.kind === 'update-secret-ca'
      ? { object: 'secret', state: decode.secret(object) }
      : { object: 'ca', state: decode.ca(object) };
  };

  const standing = (step: ObjectStep): string => {
    if (step.kind === 'inject') return paths.target(step.target).path;
    return step.kind === 'issue-leaf' || step.kind === 'update-secret-ca' ? paths.secret.path : paths.ca.path;
  };

  const accountNow = ({ object }: Precondition): Observable<WriteResult> =>
    get(paths[object].path).pipe(
      map((now) =>
        decodeOrThrow('a Secret', () =>
          object === 'secret' ? { object, state: decode.secret(now) } : { object, state: decode.ca(now) },
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
      const object$ = get(standing(step)).pipe(map((object) => decodeOrThrow(step.kind, () => touch(step, object))));
      return step.kind === 'inject' && step.precondition !== undefined
        ? concat(accountNow(step.precondition), object$)
        : object$;
    },
    perform: (step, fence) =>
      request(step).pipe(
        concatMap((write) => {
          if (!fence()) return throwError(() => new Problem('no longer the leader, nothing was written'));
          return client.send(write);
        }),
        concatMap((written) => (step.kind === 'inject' ? readBack(step, written) : of(written))),
        map((object) => decodeOrThrow(step.kind, () => touch(step, object))),
      ),
  };
};

const pemOf = (certificates: readonly CertificateInfo[]): string => certificates.map(({ pem }) => pem).join('');

const unmoved = <T extends { readonly resourceVersion: string }>(
  object: T,
  plannedOn: { readonly resourceVersion: string },
): T => {
  if (object.resourceVersion !== plannedOn.resourceVersion)
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
  issue: SelfSignedIssuer,
): ((step: ObjectStep) => Observable<KubeRequest>) => {
  const get = (path: string): Observable<unknown> => client.send({ method: 'GET', path });
  const secretOf = (object: unknown): SecretObject => decodeOrThrow('a Secret', () => secretObject(object));

  const stillStands = ({ object, state }: Precondition): Observable<SecretObject> =>
    get(paths[object].path).pipe(map((now) => unmoved(secretOf(now), state)));

  return (step) => {
    switch (step.kind) {
      case 'issue-ca': {
        const { plannedOn: plannedOn } = step;
        const kept = pemOf(step.keep);
        if (plannedOn === 'absent') {
          return from(issue.authority(null, kept)).pipe(
            map((values) => objectWrites.createSecret(paths.ca, 'Opaque', values, FIELD_MANAGER)),
          );
        }
        return stillStands({ object: 'ca', state: plannedOn }).pipe(
          concatMap(({ values }) => issue.authority(values, kept)),
          map((values) => objectWrites.patchSecret(paths.ca.path, plannedOn.resourceVersion, values, FIELD_MANAGER)),
        );
      }
      case 'extend-ca-bundle':
      case 'prune-ca-bundle': {
        const { plannedOn: plannedOn, keep } = step;
        const own = plannedOn.current === null ? [] : [plannedOn.current];
        const bundle = {
          'ca-bundle.crt': pemOf([...own, ...keep]),
          ...(keep.length === 0 ? { 'ca-bridge.crt': null } : {}),
        };
        return from([objectWrites.patchSecret(paths.ca.path, plannedOn.resourceVersion, bundle, FIELD_MANAGER)]);
      }
      case 'issue-leaf': {
        const { plannedOn: plannedOn } = step;
        return stillStands({ object: 'ca', state: step.ca }).pipe(
          concatMap(({ values }) => issue.leaf(values, pemOf(step.ca.bundle))),
          map((values) =>
            plannedOn === 'absent'
              ? objectWrites.createSecret(paths.secret, 'kubernetes.io/tls', values, FIELD_MANAGER)
              : objectWrites.patchSecret(paths.secret.path, plannedOn.resourceVersion, values, FIELD_MANAGER),
          ),
        );
      }
      case 'update-secret-ca': {
        const { plannedOn: plannedOn, trust } = step;
        return from([
          objectWrites.patchSecret(
            paths.secret.path,
            plannedOn.resourceVersion,
            { 'ca.crt': pemOf(trust) },
            FIELD_MANAGER,
          ),
        ]);
      }
      case 'inject': {
        const { type, path } = paths.target(step.target);
        const value = pemOf(step.trust);
        return get(path).pipe(
          map((object) => decodeOrThrow(step.target, () => targetObject(type, FIELD_MANAGER)(object))),
          map((object) => unmoved(object, step.plannedOn)),
          concatMap((object) =>
            step.precondition === undefined ? of(object) : stillStands(step.precondition).pipe(map(() => object)),
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
