import type { JsonObject } from './kube-object.ts';

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
