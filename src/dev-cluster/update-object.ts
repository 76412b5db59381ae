import { isDeepStrictEqual } from 'node:util';
import { createObject } from './create-delete.ts';
import { decodeObject } from './decode-object.ts';
import * as failures from './failures.ts';
import { jsonPatch } from './json-patch.ts';
import { type Json, type JsonObject, type KubeObject, type ObjectMeta, omit, rfc3339 } from './kube-object.ts';
import { trackFields } from './managed-fields.ts';
import type { ObjectStore } from './object-store.ts';
import type { WriteRequest } from './route.ts';
import { validateObject } from './validate-object.ts';

const decode = (request: WriteRequest, current: KubeObject): KubeObject => {
  if (request.verb === 'update') {
    const decoded = decodeObject(request.type, request.body);
    if ('why' in decoded) throw failures.undecodable(request.type, decoded.kind, decoded.why);
    return decoded.object;
  }
  const decoded = decodeObject(request.type, patchBody(request.contentType, current, request.body ?? null));
  if ('why' in decoded) throw failures.unpatchable(decoded.why);
  return decoded.object;
};

/** Throws unless the preconditions of the write hold for the current object. */
const checkPreconditions = ({ type, verb }: WriteRequest, submitted: ObjectMeta, { metadata }: KubeObject) => {
  if (submitted.name !== metadata.name) {
    throw failures.badRequest(
      `the name of the object (${submitted.name}) does not match the name on the URL (${metadata.name})`,
    );
  }
  if (submitted.namespace !== undefined && submitted.namespace !== metadata.namespace) {
    throw failures.badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (verb === 'update' && submitted.uid !== undefined && submitted.uid !== metadata.uid) {
    throw failures.uidDiffers(type, metadata.name, submitted.uid, metadata.uid ?? '');
  }
  if (submitted.resourceVersion === undefined) {
    if (!type.mayOverwrite) throw failures.versionRequired(type, metadata.name);
  } else if (submitted.resourceVersion !== metadata.resourceVersion) {
    throw failures.modified(type, metadata.name);
  }
};

/** Fields that only the server writes. */
const serverOwned = ['namespace', 'uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'];

/** Restricts a write to what its path may change: a status path only status and metadata, the main path all but status. */
const restrictToPath = (
  { type, subresource }: WriteRequest,
  submitted: KubeObject,
  current: KubeObject,
): KubeObject => {
  if (!type.hasStatus) return submitted;
  const [body, status] = subresource === 'status' ? [current, submitted['status']] : [submitted, current['status']];
  const kept = { ...omit(body, 'status'), apiVersion: body.apiVersion, kind: body.kind, metadata: submitted.metadata };
  return status === undefined ? kept : { ...kept, status };
};

const keepServerOwned = (submitted: KubeObject, current: KubeObject): KubeObject => {
  const owned = serverOwned.filter((key) => current.metadata[key] !== undefined);
  const kept = Object.fromEntries(owned.map((key) => [key, current.metadata[key]]));
  const metadata = omit(submitted.metadata, 'managedFields');
  return {
    ...submitted,
    metadata: { ...metadata, ...kept, resourceVersion: current.metadata.resourceVersion },
  } as KubeObject;
};

interface Updated {
  readonly object: KubeObject;
  /** True when a PUT created the object. */
  readonly isNew: boolean;
}

/**
 * Replaces or patches an object. A write that changes nothing returns the current object and emits no event. A dry run
 * stores nothing.
 *
 * @throws ApiFailure
 */
export const updateObject = (store: ObjectStore, request: WriteRequest): Updated => {
  const { type, namespace, manager } = request;
  const name = request.name ?? '';
  const current = store.get(type, namespace, name);
  if (current === undefined) {
    if (request.verb !== 'update' || !type.createsOnPut) throw failures.notFound(type, name);
    return { object: createObject(store, request), isNew: true };
  }
  const submitted = decode(request, current);
  checkPreconditions(request, submitted.metadata, current);
  const scoped = restrictToPath(request, submitted, current);
  const causes = validateObject(type, scoped, current);
  if (causes.length > 0) throw failures.invalid(type, name, causes);
  const next = keepServerOwned(scoped, current);
  const managedFields = trackFields({ type, previous: current, next, manager, time: rfc3339(new Date()) });
  const object = { ...next, metadata: { ...next.metadata, ...(managedFields.length > 0 && { managedFields }) } };
  if (isDeepStrictEqual(object, current)) return { object: current, isNew: false };
  return { object: request.isDryRun ? object : store.put(type, object), isNew: false };
};

const accepted = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
] as const;

/** Whether a strategic merge patch is equivalent to a merge patch: it has no lists and no `$` directives. */
const isPlain = (patch: Json | undefined): boolean => {
  if (Array.isArray(patch)) return false;
  if (typeof patch !== 'object' || patch === null) return true;
  return Object.entries(patch).every(([key, value]) => !key.startsWith('$') && isPlain(value));
};

/** Applies the body of a PATCH by its content type. @throws ApiFailure 415 for an unsupported type */
const patchBody = (contentType: string, target: Json, patch: Json): Json => {
  const kind = contentType.split(';')[0]?.trim();
  if (kind === accepted[0]) return jsonPatch(target, patch);
  if (kind === accepted[1] || (kind === accepted[2] && isPlain(patch))) return mergePatch(target, patch);
  throw failures.unsupportedMediaType(accepted.slice(0, 2));
};

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** JSON Merge Patch, RFC 7386: null deletes, objects merge, everything else replaces. */
const mergePatch = (target: Json | undefined, patch: Json): Json => {
  if (!isObject(patch)) return patch;
  const merged: Record<string, Json | undefined> = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || value === undefined) Reflect.deleteProperty(merged, key);
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
};
