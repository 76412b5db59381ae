import { randomBytes, randomUUID } from 'node:crypto';
import * as z from 'zod';
import { decodeObject } from './decode-object.ts';
import * as failures from './failures.ts';
import { type JsonObject, type KubeObject, omit, rfc3339 } from './kube-object.ts';
import { trackFields } from './managed-fields.ts';
import type { ObjectStore } from './object-store.ts';
import type { WriteRequest } from './route.ts';
import { validateObject } from './validate-object.ts';

/** Fields that the API server sets on a new object, whatever the client sent. */
const serverDefaults: Readonly<Record<string, object>> = {
  pods: { status: { phase: 'Pending', qosClass: 'BestEffort' } },
  namespaces: { spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } },
  apiservices: { status: {} },
};

/** Five random characters, as `generateName` appends. */
const suffix = () => randomBytes(4).readUInt32BE().toString(36).padStart(7, '0').slice(-5);

const named = (request: WriteRequest, object: KubeObject): KubeObject => {
  const { metadata } = object;
  const prefix = metadata['generateName'];
  const name = metadata.name === '' && typeof prefix === 'string' ? prefix + suffix() : metadata.name;
  const namespace = request.namespace === null ? {} : { namespace: request.namespace };
  return { ...object, metadata: { ...metadata, name, ...namespace } };
};

/** Creates an object; its namespace need not exist. A dry run stores nothing. @throws ApiFailure */
export const createObject = (store: ObjectStore, request: WriteRequest): KubeObject => {
  const { type, namespace } = request;
  const decoded = decodeObject(type, request.body);
  if ('why' in decoded) throw failures.undecodable(type, decoded.kind, decoded.why);
  const { metadata } = decoded.object;
  if (metadata.resourceVersion !== undefined && request.verb === 'create') throw failures.versionOnCreate();
  if (metadata.namespace !== undefined && metadata.namespace !== namespace) {
    throw failures.badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (request.name !== null && metadata.name !== request.name) {
    throw failures.badRequest(
      `the name of the object (${metadata.name}) does not match the name on the URL (${request.name})`,
    );
  }
  const submitted = named(request, decoded.object);
  const causes = validateObject(type, submitted, null);
  if (causes.length > 0) throw failures.invalid(type, submitted.metadata.name, causes);
  if (store.get(type, namespace, submitted.metadata.name) !== undefined) {
    throw failures.alreadyExists(type, submitted.metadata.name);
  }
  const time = rfc3339(new Date());
  const managedFields = trackFields({ type, previous: null, next: submitted, manager: request.manager, time });
  const born = {
    ...submitted,
    ...serverDefaults[type.resource],
    metadata: {
      ...omit(submitted.metadata, 'resourceVersion'),
      uid: randomUUID(),
      creationTimestamp: time,
      ...(managedFields.length > 0 && { managedFields }),
    },
  } as KubeObject;
  return request.isDryRun ? born : store.put(type, born);
};

const deleteOptions = z.object({
  gracePeriodSeconds: z.int().min(0).optional(),
  preconditions: z.object({ uid: z.string().optional(), resourceVersion: z.string().optional() }).prefault({}),
});

/** The grace period of a Pod: 0 before it is scheduled, and after it has finished. */
const graceSeconds = (pod: KubeObject, asked: number | undefined): number => {
  const { nodeName, terminationGracePeriodSeconds = 30 } = (pod['spec'] ?? {}) as {
    readonly nodeName?: string;
    readonly terminationGracePeriodSeconds?: number;
  };
  const { phase } = (pod['status'] ?? {}) as { readonly phase?: string };
  const isOver = nodeName === undefined || phase === 'Succeeded' || phase === 'Failed';
  return isOver ? 0 : (asked ?? terminationGracePeriodSeconds);
};

const markDeleted = (pod: KubeObject, seconds: number): KubeObject => ({
  ...pod,
  metadata: {
    ...pod.metadata,
    deletionTimestamp: rfc3339(new Date(Date.now() + seconds * 1_000)),
    deletionGracePeriodSeconds: seconds,
  },
});

/**
 * Deletes an object. A Pod on a node is only marked, unless its grace period is 0: the kubelet deletes it later.
 * Finalizers are ignored.
 *
 * @returns the response body
 * @throws ApiFailure
 */
export const deleteObject = (store: ObjectStore, request: WriteRequest): JsonObject => {
  const { type, isDryRun } = request;
  const name = request.name ?? '';
  const options = deleteOptions.safeParse(request.body ?? {});
  if (!options.success) throw failures.badRequest('the body is not a DeleteOptions object');
  const current = store.get(type, request.namespace, name);
  if (current === undefined) throw failures.notFound(type, name);
  const { uid, resourceVersion } = current.metadata;
  const asked = options.data.preconditions;
  if (asked.uid !== undefined && asked.uid !== uid) {
    const why = `the UID in the precondition (${asked.uid}) does not match the UID in record (${uid ?? ''})`;
    throw failures.preconditionFailed(type, name, `${why}. The object might have been deleted and then recreated`);
  }
  if (asked.resourceVersion !== undefined && asked.resourceVersion !== resourceVersion) {
    const record = `does not match the ResourceVersion in record (${resourceVersion ?? ''})`;
    const why = `the ResourceVersion in the precondition (${asked.resourceVersion}) ${record}`;
    throw failures.preconditionFailed(type, name, `${why}. The object might have been modified`);
  }
  if (type.kind === 'Pod') {
    const seconds = graceSeconds(current, options.data.gracePeriodSeconds);
    const marked = markDeleted(current, seconds);
    if (isDryRun) return marked;
    if (seconds > 0) return current.metadata.deletionTimestamp === undefined ? store.put(type, marked) : current;
    store.delete(type, marked);
    return marked;
  }
  if (!isDryRun) store.delete(type, current);
  const details = { name, ...(type.group === '' ? {} : { group: type.group }), kind: type.resource, uid };
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
};
