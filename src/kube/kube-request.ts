/** One request to the API server. */
export interface KubeRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Absolute path, each segment already percent-encoded; no query. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Of the body; `application/json` when absent. */
  readonly contentType?: string;
  /** Until the whole answer is here (`send`) or its first byte is (`stream`). */
  readonly timeoutMs?: number;
}

/** One answer, for metrics. */
export interface KubeResponse {
  /** As RBAC spells it: get, list, watch, create, update, patch, delete. */
  readonly verb: string;
  /** As RBAC spells it, without the group: `leases`, `pods/status`; a path when it is not about a resource. */
  readonly resource: string;
  /** HTTP status; null when no answer came. */
  readonly code: number | null;
  /** From the moment of asking until the headers came, credentials included. */
  readonly ms: number;
}
