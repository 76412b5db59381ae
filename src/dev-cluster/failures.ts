import type { JsonObject } from './kube-object.ts';
import type { ResourceType } from './resource-types.ts';

/** One thing wrong with one field of an object. */
export interface Cause extends JsonObject {
  readonly reason: 'FieldValueInvalid' | 'FieldValueRequired' | 'FieldValueForbidden';
  readonly message: string;
  /** Such as `spec.leaseDurationSeconds`. */
  readonly field: string;
}

/** A Kubernetes Status object that says no. */
interface FailureStatus extends JsonObject {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: JsonObject;
  readonly status: 'Failure';
  readonly message: string;
  readonly reason?: string;
  readonly details?: JsonObject;
  /** The HTTP status. */
  readonly code: number;
}

/** Thrown where a request cannot be granted; the server answers with the Status. */
export class ApiFailure extends Error {
  override readonly name = 'ApiFailure';
  readonly status: FailureStatus;

  constructor(code: number, reason: string | undefined, message: string, details?: JsonObject) {
    super(message);
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      ...(reason === undefined ? {} : { reason }),
      ...(details === undefined ? {} : { details }),
      code,
    };
  }
}

const qualified = (name: string, group: string) => (group === '' ? name : `${name}.${group}`);

const details = (type: ResourceType, name: string | null, kind = type.resource): JsonObject => ({
  ...(name === null || name === '' ? {} : { name }),
  ...(type.group === '' ? {} : { group: type.group }),
  kind,
});

const subject = (type: ResourceType, name: string | null) =>
  `${qualified(type.resource, type.group)}${name === null ? '' : ` "${name}"`}`;

const conflict = (type: ResourceType, name: string, why: string, kind = type.resource) =>
  new ApiFailure(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(kind, type.group)} "${name}": ${why}`,
    details(type, name, kind),
  );

const invalid = (type: ResourceType, name: string, causes: readonly Cause[], kind = type.kind) => {
  const said = causes.map(({ field, message }) => `${field}: ${message}`);
  const list = said.length === 1 ? said.join() : `[${said.join(', ')}]`;
  return new ApiFailure(422, 'Invalid', `${qualified(kind, type.group)} "${name}" is invalid: ${list}`, {
    ...details(type, name, kind),
    causes,
  });
};

/** Every way kube-apiserver says no that this server knows, in its own words. */
export const failures = {
  notFound: (type: ResourceType, name: string) =>
    new ApiFailure(404, 'NotFound', `${subject(type, name)} not found`, details(type, name)),
  noSuchResource: () => new ApiFailure(404, 'NotFound', 'the server could not find the requested resource', {}),
  alreadyExists: (type: ResourceType, name: string) =>
    new ApiFailure(409, 'AlreadyExists', `${subject(type, name)} already exists`, details(type, name)),
  modified: (type: ResourceType, name: string) =>
    conflict(type, name, 'the object has been modified; please apply your changes to the latest version and try again'),
  /** The uid of a PUT is another object's. */
  uidDiffers: (type: ResourceType, name: string, asked: string, found: string) =>
    conflict(type, name, `Precondition failed: UID in precondition: ${asked}, UID in object meta: ${found}`),
  /** A precondition of a DELETE does not hold. */
  preconditionFailed: (type: ResourceType, name: string, why: string) => conflict(type, name, why, type.kind),
  invalid,
  versionRequired: (type: ResourceType, name: string) =>
    invalid(
      type,
      name,
      [
        {
          reason: 'FieldValueInvalid',
          message: 'Invalid value: 0x0: must be specified for an update',
          field: 'metadata.resourceVersion',
        },
      ],
      type.resource,
    ),
  badRequest: (message: string) => new ApiFailure(400, 'BadRequest', message),
  /** The body is JSON but no object of this kind; `kind` is what it says it is. */
  undecodable: (type: ResourceType, kind: string, why: string) =>
    new ApiFailure(
      400,
      'BadRequest',
      `${kind} in version "${type.version}" cannot be handled as a ${type.kind}: ${why}`,
    ),
  /** A patch whose outcome is no object of this kind. */
  unpatchable: (why: string) =>
    new ApiFailure(422, 'Invalid', ` "" is invalid: patch: Invalid value: ${why}`, {
      causes: [{ reason: 'FieldValueInvalid', message: `Invalid value: ${why}`, field: 'patch' }],
    }),
  /** A JSON patch that does not apply, a failing `test` above all. */
  patchRejected: () =>
    new ApiFailure(422, 'Invalid', 'the server rejected our request due to an error in our request', {}),
  versionOnCreate: () => new ApiFailure(500, undefined, 'resourceVersion should not be set on objects to be created'),
  versionNotANumber: (text: string) =>
    new ApiFailure(
      500,
      undefined,
      `resourceVersion: Invalid value: "${text}": strconv.ParseUint: parsing "${text}": invalid syntax`,
    ),
  versionInTheFuture: (asked: string, current: number) =>
    new ApiFailure(504, 'Timeout', `Timeout: Too large resource version: ${asked}, current: ${current}`, {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    }),
  expired: (asked: number, oldest: number) =>
    new ApiFailure(410, 'Expired', `too old resource version: ${asked} (${oldest})`),
  unauthorized: () => new ApiFailure(401, 'Unauthorized', 'Unauthorized'),
  forbidden: (type: ResourceType, name: string | null, why: string) =>
    new ApiFailure(403, 'Forbidden', `${subject(type, name)} is forbidden: ${why}`, details(type, name)),
  pathForbidden: (user: string, method: string, path: string) =>
    new ApiFailure(403, 'Forbidden', `forbidden: User "${user}" cannot ${method} path "${path}"`, {}),
  methodNotAllowed: () =>
    new ApiFailure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {}),
  tooLarge: () => new ApiFailure(413, 'RequestEntityTooLarge', 'Request entity too large: limit is 3145728'),
  unsupportedMediaType: (accepted: readonly string[]) =>
    new ApiFailure(
      415,
      'UnsupportedMediaType',
      `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
      {},
    ),
};
