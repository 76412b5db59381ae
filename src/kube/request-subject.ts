import type { KubeRequest } from './kube-request.ts';

export interface RequestSubject {
  readonly verb: string;
  readonly resource: string;
  /** For people: `get leases.coordination.k8s.io "name" in namespace "ns"`. */
  readonly text: string;
}

const verbs = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' } as const;

function verbOf({ method, query }: KubeRequest, named: boolean): string {
  if (method !== 'GET') return verbs[method];
  if (query?.['watch'] === 'true' || query?.['watch'] === '1') return 'watch';
  return named ? 'get' : 'list';
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** What a request is about, in the words of RBAC, read from its path. */
export function requestSubject(request: KubeRequest): RequestSubject {
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
}
