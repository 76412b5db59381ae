export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export interface GroupVersionResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

/** The fields that every object has. The API server has validated the object against its own schema. */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: {
    readonly name?: string;
    readonly generateName?: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

/** `request` of an AdmissionReview; the same in admission.k8s.io/v1 and v1beta1. */
export interface AdmissionRequest<T extends object = KubeObject> {
  readonly uid: string;
  readonly kind: GroupVersionKind;
  readonly resource: GroupVersionResource;
  readonly subResource?: string;
  /** The kind of the original request, where the API server converted it to the kind in the webhook's rule. */
  readonly requestKind?: GroupVersionKind;
  readonly requestResource?: GroupVersionResource;
  readonly requestSubResource?: string;
  /** Absent on a create with `generateName`. */
  readonly name?: string;
  readonly namespace?: string;
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';
  readonly userInfo: {
    readonly username?: string;
    readonly uid?: string;
    readonly groups?: readonly string[];
    readonly extra?: Readonly<Record<string, readonly string[]>>;
  };
  /** Null or absent on a delete. */
  readonly object?: T | null;
  /** Null or absent on a create. */
  readonly oldObject?: T | null;
  /** True: nothing will be stored, so a handler must have no side effects. */
  readonly dryRun?: boolean;
  readonly options?: unknown;
}

/** Optional parts of an answer, beside whether the object is admitted. */
export interface Remarks {
  /** Shown to the user who made the call; the API server cuts each at 256 characters. */
  readonly warnings?: readonly string[];
  /** Written to the audit log, each key prefixed with the webhook's name. */
  readonly auditAnnotations?: Readonly<Record<string, string>>;
}

/** `response` of an AdmissionReview. The uid is added by the server. */
export interface AdmissionResponse extends Remarks {
  readonly allowed: boolean;
  /** Why the object was denied; `code` is the HTTP status the caller gets. */
  readonly status?: { readonly message?: string; readonly code?: number; readonly reason?: string };
  /** Base64 of a JSON Patch (RFC 6902). */
  readonly patch?: string;
  readonly patchType?: 'JSONPatch';
}

/** The log of the replica. Each line carries the fields, with secrets removed. */
export type HandlerLog = Readonly<
  Record<'debug' | 'info' | 'warn' | 'error', (message: string, fields?: Readonly<Record<string, unknown>>) => void>
>;

export interface HandlerContext {
  /** Aborted when the deadline has passed or the caller has disconnected. */
  readonly signal: AbortSignal;
  /** The path of the call, without its query: `/validate`. */
  readonly path: string;
  /** Latest time for the answer, ms since the epoch. */
  readonly deadlineMs: number;
  readonly log: HandlerLog;
}

/**
 * Answers one request. `T` is the type of the object, for example `V1Pod` of `@kubernetes/client-node`. It is not checked
 * at run time: the object is JSON as the API server sent it, so that times are strings.
 */
export type AdmissionHandler<T extends object = KubeObject> = (
  request: AdmissionRequest<T>,
  context: HandlerContext,
) => AdmissionResponse | Promise<AdmissionResponse>;

/** The default export of a handler module: one function for every path, or one for each path. Any export is a `HandlerExport<never>`. */
export type HandlerExport<T extends object = KubeObject> =
  AdmissionHandler<T> | Readonly<Record<string, AdmissionHandler<T>>>;
