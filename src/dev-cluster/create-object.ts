import { randomBytes, randomUUID } from 'node:crypto';
import { decodeObject } from './decode-object.ts';
import * as failures from './failures.ts';
import { type KubeObject, omit, rfc3339 } from './kube-object.ts';
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
  const wanted = named(request, decoded.object);
  const causes = validateObject(type, wanted, null);
  if (causes.length > 0) throw failures.invalid(type, wanted.metadata.name, causes);
  if (store.get(type, namespace, wanted.metadata.name) !== undefined) {
    throw failures.alreadyExists(type, wanted.metadata.name);
  }
  const time = rfc3339(new Date());
  const managedFields = trackFields({ type, previous: null, next: wanted, manager: request.manager, time });
  const born = {
    ...wanted,
    ...serverDefaults[type.resource],
    metadata: {
      ...omit(wanted.metadata, 'resourceVersion'),
      uid: randomUUID(),
      creationTimestamp: time,
      ...(managedFields.length > 0 && { managedFields }),
    },
  } as KubeObject;
  return request.isDryRun ? born : store.put(type, born);
};
