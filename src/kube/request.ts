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
  /** Added to those that every request has. */
  readonly headers?: Readonly<Record<string, string | string[]>>;
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

interface RequestSubject {
  readonly verb: string;
  readonly resource: string;
  /** For people: `get leases.coordination.k8s.io "name" in namespace "ns"`. */
  readonly text: string;
}

const verbs = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' } as const;

const verbOf = ({ method, query }: KubeRequest, named: boolean): string => {
  if (method !== 'GET') return verbs[method];
  if (query?.['watch'] === 'true' || query?.['watch'] === '1') return 'watch';
  return named ? 'get' : 'list';
};

const decoded = (segment: string): string => {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
};

/** What a request is about, in the words of RBAC, read from its path. */
export const requestSubject = (request: KubeRequest): RequestSubject => {
  const segments = request.path.split('/').filter(Boolean).map(decoded);
  const core = segments[0] === 'api';
  const group = core ? null : (segments[1] ?? null);
  let rest = core ? segments.slice(2) : segments[0] === 'apis' ? segments.slice(3) : [];
  let namespace: string | null = null;
  if (rest[0] === 'namespaces' && rest.length > 2) {
    namespace = rest[1] ?? null;
    rest = rest.slice(2);
  }
  const [plural, name, sub] = rest;
  if (plural === undefined)
    return { verb: request.method.toLowerCase(), resource: request.path, text: `${request.method} ${request.path}` };
  const verb = verbOf(request, name !== undefined);
  const resource = sub === undefined ? plural : `${plural}/${sub}`;
  const qualified = group === null ? resource : `${plural}.${group}${sub === undefined ? '' : `/${sub}`}`;
  const text = [
    `${verb} ${qualified}`,
    name === undefined ? '' : ` "${name}"`,
    namespace === null ? '' : ` in namespace "${namespace}"`,
  ].join('');
  return { verb, resource, text };
};
