import * as z from 'zod';
import { createObject, deleteObject } from './create-delete.ts';
import * as failures from './failures.ts';
import type { JsonObject } from './kube-object.ts';
import { listObjects } from './list-objects.ts';
import type { ObjectStore } from './object-store.ts';
import type { ResourceRequest, WriteRequest } from './route.ts';
import { updateObject } from './update-object.ts';
import { isAllowed, type User } from './users.ts';

/** The response to a request. */
export interface Answer {
  /** The HTTP status. */
  readonly code: number;
  readonly body: JsonObject | string;
}

/** Rejects a resourceVersion of the future: it comes from another cluster, or from before a restore of etcd. */
const checkVersion = (store: ObjectStore, { query }: ResourceRequest) => {
  const asked = query.get('resourceVersion') ?? '';
  if (Number(asked) > store.revision) throw failures.versionInTheFuture(asked, store.revision);
};

const get = (store: ObjectStore, { type, namespace, name }: ResourceRequest): JsonObject => {
  const object = store.get(type, namespace, name ?? '');
  if (object === undefined) throw failures.notFound(type, name ?? '');
  return object;
};

/** Executes a request for a resource, except for a watch. @throws ApiFailure */
export const answerResource = (store: ObjectStore, user: User, request: WriteRequest): Answer => {
  switch (request.verb) {
    case 'get':
      checkVersion(store, request);
      return { code: 200, body: get(store, request) };
    case 'list':
      checkVersion(store, request);
      return { code: 200, body: listObjects(store, request) };
    case 'create':
      if (!request.type.isStored) return { code: 201, body: accessReview(user, request.body) };
      return { code: 201, body: createObject(store, request) };
    case 'update':
    case 'patch': {
      const { object, isNew } = updateObject(store, request);
      return { code: isNew ? 201 : 200, body: object };
    }
    case 'delete':
      return { code: 200, body: deleteObject(store, request) };
    case 'watch':
    case 'deletecollection':
      throw failures.methodNotAllowed();
  }
};

const text = z.string().optional();

const review = z.looseObject({
  spec: z.looseObject({
    resourceAttributes: z.looseObject({
      namespace: text,
      verb: text,
      group: text,
      resource: text,
      subresource: text,
      name: text,
    }),
  }),
});

const orNull = (value: string | undefined) => (value === undefined || value === '' ? null : value);

/** Answers a SelfSubjectAccessReview. @throws ApiFailure 400 when the body is malformed */
const accessReview = (user: User, body: unknown): JsonObject => {
  const parsed = review.safeParse(body);
  if (!parsed.success) throw failures.badRequest('the body is not a SelfSubjectAccessReview of a resource');
  const asked = parsed.data.spec.resourceAttributes;
  const allowed = isAllowed(user, {
    verb: asked.verb ?? '',
    group: asked.group ?? '',
    resource: asked.resource ?? '',
    subresource: orNull(asked.subresource),
    namespace: orNull(asked.namespace),
    name: orNull(asked.name),
  });
  return {
    kind: 'SelfSubjectAccessReview',
    apiVersion: 'authorization.k8s.io/v1',
    metadata: { creationTimestamp: null },
    spec: parsed.data.spec as JsonObject,
    status: { allowed },
  };
};
