import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { loadAll } from 'js-yaml';
import { Problem } from '../../streams/problem.ts';
import { messageOf } from '../util/errors.ts';
import type { AdmissionRequest, KubeObject } from '../webhook/admission-types.ts';

/** What a user asks of the API server; the fields of an AdmissionRequest that follow from it are filled in. */
export interface Attempt extends Partial<Pick<AdmissionRequest, 'operation' | 'dryRun' | 'userInfo' | 'subResource'>> {
  /** The object to create, the new version of an update, or the object to delete. */
  readonly object: object;
  /** The stored version, for an update. */
  readonly oldObject?: object;
}

const isObject = (value: unknown): value is KubeObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** As apimachinery guesses it: https://github.com/kubernetes/apimachinery/blob/v0.34.0/pkg/api/meta/restmapper.go */
const pluralOf = (kind: string): string => {
  const singular = kind.toLowerCase();
  if (singular.endsWith('endpoints')) return singular;
  if (singular.endsWith('s')) return `${singular}es`;
  return singular.endsWith('y') ? `${singular.slice(0, -1)}ies` : `${singular}s`;
};

const USER = { username: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] };

/**
 * The request that the API server sends for an attempt. The name of the resource is guessed from the kind, and defaults that
 * the API server sets before it calls a webhook are not set.
 *
 * @throws Problem when the object has no apiVersion or kind
 */
export const requestOf = (attempt: Attempt): AdmissionRequest => {
  const { oldObject, operation = oldObject === undefined ? 'CREATE' : 'UPDATE', userInfo = USER } = attempt;
  const object: KubeObject = { ...attempt.object };
  const { apiVersion, kind = '', metadata } = object;
  if (typeof apiVersion !== 'string' || kind === '') throw new Problem('the object has no apiVersion or no kind');
  const [version = '', group = ''] = apiVersion.split('/').toReversed();
  const [gvk, gvr] = [
    { group, version, kind },
    { group, version, resource: pluralOf(kind) },
  ];
  return {
    uid: randomUUID(),
    kind: gvk,
    resource: gvr,
    ...(attempt.subResource === undefined ? {} : { subResource: attempt.subResource }),
    requestKind: gvk,
    requestResource: gvr,
    ...(metadata?.name === undefined ? {} : { name: metadata.name }),
    ...(metadata?.namespace === undefined ? {} : { namespace: metadata.namespace }),
    operation,
    userInfo,
    object: operation === 'DELETE' ? null : object,
    oldObject: operation === 'DELETE' ? object : oldObject === undefined ? null : { ...oldObject },
    dryRun: attempt.dryRun ?? false,
    options: null,
  };
};

/**
 * Reads the objects of a YAML or JSON file, as `kubectl apply --filename` does: several documents, and the items of a List.
 *
 * @throws Problem that names the file
 */
export const readObjects = (file: string): readonly KubeObject[] => {
  let documents: readonly unknown[];
  try {
    documents = loadAll(readFileSync(file, 'utf8')).filter((document) => document !== null && document !== undefined);
  } catch (error) {
    throw new Problem(`${file}: ${messageOf(error)}`);
  }
  const objects = documents.flatMap((document) =>
    isObject(document) && document.kind === 'List' ? (document['items'] as readonly unknown[]) : [document],
  );
  if (objects.length === 0) throw new Problem(`${file}: expected an object in YAML or JSON, and it is empty`);
  return objects.map((object) => {
    if (isObject(object) && typeof object.apiVersion === 'string' && typeof object.kind === 'string') return object;
    throw new Problem(`${file}: expected objects with apiVersion and kind`);
  });
};

/** The request in a recorded AdmissionReview; otherwise the request to create the object. */
export const requestFrom = (object: KubeObject, attempt: Omit<Attempt, 'object'> = {}): AdmissionRequest =>
  object.kind === 'AdmissionReview' && isObject(object['request'])
    ? (object['request'] as unknown as AdmissionRequest)
    : requestOf({ ...attempt, object });
