import type { JsonObject } from './kube-object.ts';
import type { ResourceType } from './resource-types.ts';

/** One invalid field of an object. */
export interface Cause extends JsonObject {
  readonly reason: 'FieldValueInvalid' | 'FieldValueRequired' | 'FieldValueForbidden';
  readonly message: string;
  /** Such as `spec.leaseDurationSeconds`. */
  readonly field: string;
}

/** A Kubernetes Status object of a failed request. */
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

/** Thrown when a request fails; the server answers with the Status. */
export class ApiFailure extends Error {
  override readonly name = 'ApiFailure';
  readonly status: FailureStatus;

  constructor(
    code: number,
    reason: string | undefined,
    message: string,
    details?: JsonObject,
    metadata: JsonObject = {},
  ) {
    super(message);
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata,
      status: 'Failure',
      message,
      ...(reason === undefined ? {} : { reason }),
      ...(details === undefined ? {} : { details }),
      code,
    };
  }
}

// Every error response of kube-apiserver that this server knows, with the original texts.

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

export const invalid = (type: ResourceType, name: string, causes: readonly Cause[], kind = type.kind) => {
  const messages = causes.map(({ field, message }) => `${field}: ${message}`);
  const list = messages.length === 1 ? messages.join() : `[${messages.join(', ')}]`;
  return new ApiFailure(422, 'Invalid', `${qualified(kind, type.group)} "${name}" is invalid: ${list}`, {
    ...details(type, name, kind),
    causes,
  });
};

export const notFound = (type: ResourceType, name: string) =>
  new ApiFailure(404, 'NotFound', `${subject(type, name)} not found`, details(type, name));

export const noSuchResource = () =>
  new ApiFailure(404, 'NotFound', 'the server could not find the requested resource', {});

export const alreadyExists = (type: ResourceType, name: string) =>
  new ApiFailure(409, 'AlreadyExists', `${subject(type, name)} already exists`, details(type, name));

export const modified = (type: ResourceType, name: string) =>
  conflict(type, name, 'the object has been modified; please apply your changes to the latest version and try again');

/** The uid of a PUT belongs to another object. */
export const uidDiffers = (type: ResourceType, name: string, asked: string, found: string) =>
  conflict(type, name, `Precondition failed: UID in precondition: ${asked}, UID in object meta: ${found}`);

/** A precondition of a DELETE does not hold. */
export const preconditionFailed = (type: ResourceType, name: string, why: string) =>
  conflict(type, name, why, type.kind);

export const versionRequired = (type: ResourceType, name: string) =>
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
  );

export const badRequest = (message: string) => new ApiFailure(400, 'BadRequest', message);

/** The body is JSON, but not an object of this kind; `kind` is the one that it names. */
export const undecodable = (type: ResourceType, kind: string, why: string) =>
  new ApiFailure(400, 'BadRequest', `${kind} in version "${type.version}" cannot be handled as a ${type.kind}: ${why}`);

/** A patch whose result is not an object of this kind. */
export const unpatchable = (why: string) =>
  new ApiFailure(422, 'Invalid', ` "" is invalid: patch: Invalid value: ${why}`, {
    causes: [{ reason: 'FieldValueInvalid', message: `Invalid value: ${why}`, field: 'patch' }],
  });

/** A JSON patch that does not apply, for example because a `test` fails. */
export const patchRejected = () =>
  new ApiFailure(422, 'Invalid', 'the server rejected our request due to an error in our request', {});

export const versionOnCreate = () =>
  new ApiFailure(500, undefined, 'resourceVersion should not be set on objects to be created');

export const versionNotANumber = (text: string) =>
  new ApiFailure(
    500,
    undefined,
    `resourceVersion: Invalid value: "${text}": strconv.ParseUint: parsing "${text}": invalid syntax`,
  );

export const versionInTheFuture = (asked: string, current: number) =>
  new ApiFailure(504, 'Timeout', `Timeout: Too large resource version: ${asked}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });

export const expired = (asked: number, oldest: number) =>
  new ApiFailure(410, 'Expired', `too old resource version: ${asked} (${oldest})`);

export const unauthorized = () => new ApiFailure(401, 'Unauthorized', 'Unauthorized');

export const forbidden = (type: ResourceType, name: string | null, why: string) =>
  new ApiFailure(403, 'Forbidden', `${subject(type, name)} is forbidden: ${why}`, details(type, name));

export const pathForbidden = (user: string, method: string, path: string) =>
  new ApiFailure(403, 'Forbidden', `forbidden: User "${user}" cannot ${method} path "${path}"`, {});

export const methodNotAllowed = () =>
  new ApiFailure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});

export const tooLarge = () =>
  new ApiFailure(413, 'RequestEntityTooLarge', 'Request entity too large: limit is 3145728');

const mediaTypes = (accepted: string) => `only the following media types are accepted: ${accepted}`;

/** No representation in the Accept header is one that this server has. */
export const notAcceptable = () => new ApiFailure(406, 'NotAcceptable', mediaTypes('application/json'), {});

export const otherRepresentation = (kind: string, found: 'a list' | 'not a list') =>
  new ApiFailure(406, 'NotAcceptable', `you requested ${kind}, but the requested object is ${found}`, {});

/** The version that the pages of a list stand at is discarded; the token leads to the rest as it is now. */
export const pageExpired = (token: string) =>
  new ApiFailure(
    410,
    'Expired',
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without ' +
      'the continue parameter, or use the continue token in this response to retrieve the remainder of the results. ' +
      'Continuing with the provided token results in an inconsistent list - objects that were created, modified, or ' +
      'deleted between the time the first chunk was returned and now may show up in the list.',
    undefined,
    { continue: token },
  );

export const unsupportedMediaType = (accepted: readonly string[]) =>
  new ApiFailure(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
    {},
  );
