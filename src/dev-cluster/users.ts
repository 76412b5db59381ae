import * as failures from './failures.ts';
import type { ResourceType } from './resource-types.ts';

/** An RBAC rule: of a Role with a namespace, of a ClusterRole without. */
export interface Rule {
  readonly apiGroups: readonly string[];
  /** Such as `pods`, or `pods/status` for the subresource. */
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  /** When set, only objects with these names; never matches `create`, whose name is not known yet. */
  readonly resourceNames?: readonly string[];
  readonly namespace?: string;
}

/** A user of the server. Without rules everything is allowed. */
export interface User {
  readonly token: string;
  readonly user: string;
  readonly groups?: readonly string[];
  readonly rules?: readonly Rule[];
}

/** The attributes of a request that rules match on. */
interface Attributes {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string | null;
  readonly namespace: string | null;
  readonly name: string | null;
}

const covers = (listed: readonly string[], request: string) => listed.includes('*') || listed.includes(request);

/** Whether the rules of a user allow a request. */
export const isAllowed = (user: User, request: Attributes): boolean => {
  const resource = request.subresource === null ? request.resource : `${request.resource}/${request.subresource}`;
  const allows = (rule: Rule) =>
    covers(rule.verbs, request.verb) &&
    covers(rule.apiGroups, request.group) &&
    covers(rule.resources, resource) &&
    (rule.namespace === undefined || rule.namespace === request.namespace) &&
    (rule.resourceNames === undefined || rule.resourceNames.includes(request.name ?? ''));
  return user.rules?.some(allows) ?? true;
};

const anonymous: User = { token: '', user: 'system:anonymous', rules: [] };

export const isAnonymous = (user: User): boolean => user === anonymous;

/**
 * Finds the user of a request; without an Authorization header it is `system:anonymous`, which has no permissions.
 *
 * @throws ApiFailure 401 for an unknown token
 */
export const authenticate = (known: readonly User[], authorization: string | undefined): User => {
  if (authorization === undefined) return anonymous;
  const user = known.find(({ token }) => authorization === `Bearer ${token}`);
  if (user === undefined) throw failures.unauthorized();
  return user;
};

/** @throws ApiFailure 403 with the text of the RBAC authorizer */
export const authorize = (user: User, type: ResourceType, request: Attributes): void => {
  if (isAllowed(user, request)) return;
  const resource = request.subresource === null ? request.resource : `${request.resource}/${request.subresource}`;
  const scope = request.namespace === null ? 'at the cluster scope' : `in the namespace "${request.namespace}"`;
  const what = `cannot ${request.verb} resource "${resource}" in API group "${request.group}" ${scope}`;
  throw failures.forbidden(type, request.name, `User "${user.user}" ${what}`);
};
