import { accessReview } from './access-review.ts';
import { apiVersion } from './api-version.ts';
import { createObject } from './create-object.ts';
import { deleteObject } from './delete-object.ts';
import { failures } from './failures.ts';
import type { JsonObject } from './kube-object.ts';
import type { ObjectStore } from './object-store.ts';
import { omit } from './omit.ts';
import type { ResourceRequest } from './route.ts';
import { selectors } from './selectors.ts';
import { updateObject } from './update-object.ts';
import type { User } from './users.ts';
import type { WriteRequest } from './write-request.ts';

/** What goes back to the client. */
export interface Answer {
  /** The HTTP status. */
  readonly code: number;
  readonly body: JsonObject | string;
}

/** Only a client that remembers another cluster, or an etcd before its restore, asks for what has not been yet. */
const checkVersion = (store: ObjectStore, { query }: ResourceRequest) => {
  const asked = query.get('resourceVersion') ?? '';
  if (Number(asked) > store.revision) throw failures.versionInTheFuture(asked, store.revision);
};

const get = (store: ObjectStore, { type, namespace, name }: ResourceRequest): JsonObject => {
  const object = store.get(type, namespace, name ?? '');
  if (object === undefined) throw failures.notFound(type, name ?? '');
  return object;
};

/** The items of a list do not say their kind: the list does. */
const list = (store: ObjectStore, { type, namespace, query }: ResourceRequest): JsonObject => ({
  kind: `${type.kind}List`,
  apiVersion: apiVersion(type),
  metadata: { resourceVersion: String(store.revision) },
  items: store
    .list(type, namespace)
    .filter(selectors(type, query))
    .map((object) => omit(object, 'kind', 'apiVersion')),
});

/** Does what a request for one resource asks, but for a watch. Errs with an ApiFailure. */
export const answerResource = (store: ObjectStore, user: User, request: WriteRequest): Answer => {
  switch (request.verb) {
    case 'get':
      checkVersion(store, request);
      return { code: 200, body: get(store, request) };
    case 'list':
      checkVersion(store, request);
      return { code: 200, body: list(store, request) };
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
