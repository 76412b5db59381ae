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

/** Any object, as far as all of them agree. The API server has checked it against its own schema. */
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
export interface AdmissionRequest<T = KubeObject> {
  readonly uid: string;
  readonly kind: GroupVersionKind;
  readonly resource: GroupVersionResource;
  readonly subResource?: string;
  /** What the caller asked for, where it was converted to what the webhook's rule names. */
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
  /** True: nothing will be stored, so a handler must not act on anything outside. */
  readonly dryRun?: boolean;
  readonly options?: unknown;
}

/** What a caller is told beside the verdict. */
export interface Remarks {
  /** Shown to the person who made the call; the API server cuts them at 256 characters each. */
  readonly warnings?: readonly string[];
  /** Written to the audit log, each key prefixed with the webhook's name. */
  readonly auditAnnotations?: Readonly<Record<string, string>>;
}

/** `response` of an AdmissionReview, without the uid: that is echoed by the server. */
export interface AdmissionResponse extends Remarks {
  readonly allowed: boolean;
  /** Why not; `code` is the HTTP status the caller gets. */
  readonly status?: { readonly message?: string; readonly code?: number; readonly reason?: string };
  /** Base64 of a JSON Patch (RFC 6902). */
  readonly patch?: string;
  readonly patchType?: 'JSONPatch';
}

export type HandlerLog = Readonly<
  Record<'debug' | 'info' | 'warn' | 'error', (message: string, fields?: Readonly<Record<string, unknown>>) => void>
>;

export interface HandlerContext {
  /** Aborted when the answer would come too late, or when the caller has gone. */
  readonly signal: AbortSignal;
  /** When the answer must be there, ms since the epoch. */
  readonly deadlineMs: number;
  readonly log: HandlerLog;
}

export type AdmissionHandler = (
  request: AdmissionRequest,
  context: HandlerContext,
) => AdmissionResponse | Promise<AdmissionResponse>;

/** What a handler module exports by default: one function for every path, or one a path. */
export type HandlerExport = AdmissionHandler | Readonly<Record<string, AdmissionHandler>>;
