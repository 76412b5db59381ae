import type { Json } from './kube-object.ts';
import { type ResourceType, resourceTypes } from './resource-types.ts';

type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

/** A request for a resource, parsed from method and URL. */
export interface ResourceRequest {
  readonly verb: Verb;
  readonly type: ResourceType;
  /** Null at the cluster scope, and for a list over all namespaces. */
  readonly namespace: string | null;
  /** For list and watch, the name that `metadata.name=` selects. */
  readonly name: string | null;
  readonly subresource: 'status' | null;
  readonly query: URLSearchParams;
}

/** `path` is outside the API groups; `nothing` names no resource; `unfit` uses a method that the resource lacks. */
type Route =
  | { readonly to: 'resource'; readonly request: ResourceRequest }
  | { readonly to: 'path'; readonly path: string }
  | { readonly to: 'nothing' }
  | { readonly to: 'unfit' };

const itemVerbs: Readonly<Record<string, Verb>> = { GET: 'get', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };
const collectionVerbs: Readonly<Record<string, Verb>> = { GET: 'list', POST: 'create', DELETE: 'deletecollection' };

const isTrue = (text: string | null) => text !== null && text !== 'false' && text !== '0';

const selectedName = (query: URLSearchParams) =>
  /(?:^|,)metadata\.name==?(?<name>[^,]+)/.exec(query.get('fieldSelector') ?? '')?.groups?.['name'] ?? null;

/** Splits `/api/v1/...` or `/apis/GROUP/VERSION/...`. */
const split = (path: string) => {
  const [, root, ...rest] = path.split('/').map(decodeURIComponent);
  if (root === 'api') return { group: '', version: rest[0], rest: rest.slice(1) };
  if (root === 'apis') return { group: rest[0] ?? '', version: rest[1], rest: rest.slice(2) };
  return null;
};

/** Routes a request by method and URL. */
export const route = (method: string, url: URL): Route => {
  const parts = split(url.pathname);
  const family = resourceTypes.filter((type) => type.group === parts?.group && type.version === parts.version);
  if (parts === null || family.length === 0 || parts.rest.length === 0) return { to: 'path', path: url.pathname };

  const [first, second, third] = parts.rest;
  const isInside = first === 'namespaces' && third !== undefined && third !== 'status';
  const namespace = isInside ? (second ?? null) : null;
  const [resource, name, subresource, ...tooMuch] = isInside ? parts.rest.slice(2) : parts.rest;
  const type = family.find((each) => each.resource === resource);
  if (type === undefined || tooMuch.length > 0 || (namespace !== null) !== type.isNamespaced) {
    const isListOfAll = type?.isNamespaced === true && namespace === null && name === undefined && method === 'GET';
    if (type === undefined || !isListOfAll) return { to: 'nothing' };
  }
  if (subresource !== undefined && !(subresource === 'status' && type.hasStatus)) return { to: 'nothing' };

  const isWatch = isTrue(url.searchParams.get('watch'));
  const plainVerb = name === undefined ? collectionVerbs[method] : itemVerbs[method];
  const verb = plainVerb === 'list' && isWatch ? 'watch' : plainVerb;
  if (verb === undefined || verb === 'deletecollection' || (!type.isStored && verb !== 'create'))
    return { to: 'unfit' };
  const isCollection = verb === 'list' || verb === 'watch';
  return {
    to: 'resource',
    request: {
      verb,
      type,
      namespace,
      name: isCollection ? selectedName(url.searchParams) : (name ?? null),
      subresource: subresource === undefined ? null : 'status',
      query: url.searchParams,
    },
  };
};

/** A request with its body, which may write. */
export interface WriteRequest extends ResourceRequest {
  readonly body: Json | undefined;
  /** Of a PATCH. */
  readonly contentType: string;
  /** The field manager: from the query, else the User-Agent up to its first slash. */
  readonly manager: string;
  readonly isDryRun: boolean;
}
