import { catchError, concat, concatMap, from, map, type Observable, of, throwError } from 'rxjs';
import type { LeaderPorts, ObjectStep } from '../../streams/leader.ts';
import type { CertificateInfo } from '../../streams/model.ts';
import type { WriteResult } from '../../streams/observe-cluster.ts';
import { Problem } from '../../streams/problem.ts';
import type { Precondition } from '../../streams/step.ts';
import { relayedPairProblem } from '../certificates/secret-pair.ts';
import type { KubeClient } from '../kube/client.ts';
import { decodeOrThrow } from '../kube/errors.ts';
import { FIELD_MANAGER } from '../kube/managed-fields.ts';
import type { KubeRequest } from '../kube/request.ts';
import { decodeCa, decodeSecret, decodeSource, decodeTarget, type SecretObject, secretObject } from './decode.ts';
import type { ClusterPaths, NamedPath } from './paths.ts';
import type { SelfSignedIssuer } from './self-signed-issuer.ts';
import { targetObject } from './targets.ts';

/** The steps that write the Secret that Pods mount. */
const WRITES_SECRET: ReadonlySet<ObjectStep['kind']> = new Set(['issue-leaf', 'copy-secret', 'update-secret-ca']);

const preconditionPath = ({ ca, secret, source }: ClusterPaths, { object }: Precondition): NamedPath => {
  const path = { ca, secret, source }[object];
  if (path === null) throw new Error('no SOURCE_SECRET is set');
  return path;
};

/** Carries out one write of the leader, and returns the resulting state of the object. */
export const stepExecutor = (
  client: KubeClient,
  paths: ClusterPaths,
  issue: SelfSignedIssuer,
): Pick<LeaderPorts, 'perform' | 'refresh'> => {
  const get = (path: string): Observable<unknown> => client.send({ method: 'GET', path });

  const resultOf = (step: ObjectStep, object: unknown): WriteResult => {
    if (step.kind === 'inject') {
      const { type } = paths.target(step.target);
      return { object: 'target', id: step.target, state: decodeTarget(type, paths.service)(object) };
    }
    return WRITES_SECRET.has(step.kind)
      ? { object: 'secret', state: decodeSecret(object, paths.issuesFor, paths.relaysFor) }
      : { object: 'ca', state: decodeCa(object) };
  };

  const pathOf = (step: ObjectStep): string => {
    if (step.kind === 'inject') return paths.target(step.target).path;
    return WRITES_SECRET.has(step.kind) ? paths.secret.path : paths.ca.path;
  };

  const preconditionOf = ({ object }: Precondition, now: unknown): WriteResult => {
    switch (object) {
      case 'secret':
        return { object, state: decodeSecret(now, paths.issuesFor, paths.relaysFor) };
      case 'source':
        return { object, state: decodeSource(now, paths.relaysFor) };
      case 'ca':
        return { object, state: decodeCa(now) };
    }
  };

  const readPrecondition = (precondition: Precondition): Observable<WriteResult> =>
    get(preconditionPath(paths, precondition).path).pipe(
      map((now) => decodeOrThrow('a Secret', () => preconditionOf(precondition, now))),
    );

  /** Reads an object after its write, since an admission controller may have changed it; the answer to the write, which succeeded, serves when the read fails. */
  const readBack = (step: ObjectStep, written: unknown): Observable<unknown> =>
    get(pathOf(step)).pipe(
      catchError((error: unknown) => (error instanceof Problem ? of(written) : throwError(() => error))),
    );

  const request = stepRequest(client, paths, issue);

  return {
    refresh: (step) => {
      const object$ = get(pathOf(step)).pipe(map((object) => decodeOrThrow(step.kind, () => resultOf(step, object))));
      const precondition = restsOn(step);
      return precondition === undefined ? object$ : concat(readPrecondition(precondition), object$);
    },
    perform: (step, fence) =>
      request(step).pipe(
        concatMap((write) => {
          if (!fence()) return throwError(() => new Problem('no longer the leader, nothing was written'));
          return client.send(write);
        }),
        concatMap((written) => (step.kind === 'inject' ? readBack(step, written) : of(written))),
        map((object) => decodeOrThrow(step.kind, () => resultOf(step, object))),
      ),
  };
};

/** What else than its own object must be as it was when the step was planned. */
const restsOn = (step: ObjectStep): Precondition | undefined => {
  if (step.kind === 'copy-secret') return { object: 'source', state: step.source };
  return step.kind === 'inject' ? step.precondition : undefined;
};

const pemOf = (certificates: readonly CertificateInfo[]): string => certificates.map(({ pem }) => pem).join('');

const unchanged = <T extends { readonly resourceVersion: string }>(
  object: T,
  plannedOn: { readonly resourceVersion: string },
): T => {
  if (object.resourceVersion !== plannedOn.resourceVersion)
    throw new Problem('the object changed before it was written', 409);
  return object;
};

/**
 * Builds the request that carries out one step. Private keys are read from the cluster for each signature; nothing is kept
 * between two steps.
 */
const stepRequest = (
  client: KubeClient,
  paths: ClusterPaths,
  issue: SelfSignedIssuer,
): ((step: ObjectStep) => Observable<KubeRequest>) => {
  const get = (path: string): Observable<unknown> => client.send({ method: 'GET', path });
  const secretOf = (object: unknown): SecretObject => decodeOrThrow('a Secret', () => secretObject(object));

  const unchangedSecret = (precondition: Precondition): Observable<SecretObject> =>
    get(preconditionPath(paths, precondition).path).pipe(map((now) => unchanged(secretOf(now), precondition.state)));

  return (step) => {
    switch (step.kind) {
      case 'issue-ca': {
        const { plannedOn } = step;
        const kept = pemOf(step.keep);
        if (plannedOn === 'absent') {
          return from(issue.ca(null, kept)).pipe(map((values) => createSecret(paths.ca, 'Opaque', values)));
        }
        return unchangedSecret({ object: 'ca', state: plannedOn }).pipe(
          concatMap(({ values }) => issue.ca(values, kept)),
          map((values) => patchSecret(paths.ca.path, plannedOn.resourceVersion, values)),
        );
      }
      case 'extend-ca-bundle':
      case 'prune-ca-bundle': {
        const { plannedOn, keep } = step;
        const own = plannedOn.current === null ? [] : [plannedOn.current];
        const bundle = {
          'ca-bundle.crt': pemOf([...own, ...keep]),
          ...(keep.length === 0 ? { 'ca-bridge.crt': null } : {}),
        };
        return from([patchSecret(paths.ca.path, plannedOn.resourceVersion, bundle)]);
      }
      case 'issue-leaf': {
        const { plannedOn } = step;
        return unchangedSecret({ object: 'ca', state: step.ca }).pipe(
          concatMap(({ values }) => issue.leaf(values, pemOf(step.ca.bundle))),
          map((values) =>
            plannedOn === 'absent'
              ? createSecret(paths.secret, 'kubernetes.io/tls', values)
              : patchSecret(paths.secret.path, plannedOn.resourceVersion, values),
          ),
        );
      }
      case 'copy-secret': {
        const { plannedOn, source } = step;
        return unchangedSecret({ object: 'source', state: source }).pipe(
          map(({ values }) => copiedValues(values, step, paths)),
          map((values) =>
            plannedOn === 'absent'
              ? createSecret(paths.secret, 'kubernetes.io/tls', values)
              : patchSecret(paths.secret.path, plannedOn.resourceVersion, values),
          ),
        );
      }
      case 'update-secret-ca': {
        const { plannedOn, trust } = step;
        return from([patchSecret(paths.secret.path, plannedOn.resourceVersion, { 'ca.crt': pemOf(trust) })]);
      }
      case 'inject': {
        const { type, path } = paths.target(step.target);
        const value = pemOf(step.trust);
        return get(path).pipe(
          map((object) => decodeOrThrow(step.target, () => targetObject(type, paths.service)(object))),
          map((object) => unchanged(object, step.plannedOn)),
          concatMap((object) =>
            step.precondition === undefined ? of(object) : unchangedSecret(step.precondition).pipe(map(() => object)),
          ),
          map(({ resourceVersion, fields }) => {
            const wrong = fields.filter(({ pem }) => pem !== value);
            return setFields(
              path,
              resourceVersion,
              wrong.map(({ pointer }) => ({ pointer, value })),
            );
          }),
        );
      }
    }
  };
};

/** Fails for good: it is tried again when the source or the Secret changes, and after a while. */
const UNPROCESSABLE = 422;

/**
 * What is written of a source: the very bytes that have just been read and verified, beside the CAs that callers trust.
 *
 * @throws Problem when callers would refuse the pair
 */
const copiedValues = (
  values: SecretObject['values'],
  { source, trust, acceptedBy }: Extract<ObjectStep, { kind: 'copy-secret' }>,
  { relaysFor }: ClusterPaths,
): SecretValues => {
  const { 'tls.crt': certificate, 'tls.key': key } = values;
  if (certificate === undefined || key === undefined || source.leaf === null || relaysFor === null)
    throw new Problem('SOURCE_SECRET holds no pair', UNPROCESSABLE);
  const nowMs = Date.now();
  const problem = relayedPairProblem(values, source.leaf, relaysFor, nowMs);
  if (problem !== null) throw new Problem(`SOURCE_SECRET is not relayed: ${problem}`, UNPROCESSABLE);
  for (const bundle of acceptedBy) {
    const refusal = relayedPairProblem(values, source.leaf, relaysFor, nowMs, Buffer.from(pemOf(bundle)));
    if (refusal === null) continue;
    const detail = `SOURCE_SECRET has no ca.crt, and a caBundle refuses its certificate: ${refusal}`;
    throw new Problem(detail, UNPROCESSABLE);
  }
  return { 'tls.crt': certificate, 'tls.key': key, 'ca.crt': trust.length === 0 ? null : pemOf(trust) };
};

const WRITE_QUERY = { fieldManager: FIELD_MANAGER };

/** New values of a Secret; null removes a key. */
type SecretValues = Readonly<Record<string, string | Buffer | null>>;

const base64 = (value: string | Buffer): string =>
  (typeof value === 'string' ? Buffer.from(value) : value).toString('base64');

const encoded = (values: SecretValues): Readonly<Record<string, string | null>> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, value === null ? null : base64(value)]));

/** A new Secret has nothing that could be removed. */
const withoutNulls = (data: Readonly<Record<string, string | null>>): Readonly<Record<string, string | null>> =>
  Object.fromEntries(Object.entries(data).filter(([, value]) => value !== null));

/** Creates a Secret. Fails when it exists, which a leader that planned on its absence must learn (L3). */
export const createSecret = (
  path: { readonly collection: string; readonly name: string },
  type: 'Opaque' | 'kubernetes.io/tls',
  values: SecretValues,
): KubeRequest => ({
  method: 'POST',
  path: path.collection,
  query: WRITE_QUERY,
  body: { apiVersion: 'v1', kind: 'Secret', type, metadata: { name: path.name }, data: withoutNulls(encoded(values)) },
});

/** Changes values of a Secret if it still has the resourceVersion that the step was planned on (L3). */
export const patchSecret = (path: string, resourceVersion: string, values: SecretValues): KubeRequest => ({
  method: 'PATCH',
  path,
  query: WRITE_QUERY,
  contentType: 'application/merge-patch+json',
  body: { metadata: { resourceVersion }, data: encoded(values) },
});

/**
 * Sets fields by JSON pointer and nothing else. Replacing the resourceVersion makes the API server answer 409 when the
 * object, and with it the order of its webhooks, is no longer the one that the pointers were computed for.
 */
export const setFields = (
  path: string,
  resourceVersion: string,
  fields: readonly { readonly pointer: string; readonly value: string }[],
): KubeRequest => ({
  method: 'PATCH',
  path,
  query: WRITE_QUERY,
  contentType: 'application/json-patch+json',
  body: [
    { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
    ...fields.map(({ pointer, value }) => ({ op: 'add', path: pointer, value: Buffer.from(value).toString('base64') })),
  ],
});
