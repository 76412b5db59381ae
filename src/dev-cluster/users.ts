import { failures } from './failures.ts';
import type { ResourceType } from './resource-types.ts';

/** An RBAC rule. With a namespace it counts as a Role's there, without one as a ClusterRole's. */
export interface Rule {
  readonly apiGroups: readonly string[];
  /** Such as `pods`, or `pods/status` for the subresource. */
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  /** When given, only these; so never `create`, whose name the server does not know yet. */
  readonly resourceNames?: readonly string[];
  readonly namespace?: string;
}

/** Somebody who may call the server. Without rules everything is allowed. */
export interface User {
  readonly token: string;
  readonly user: string;
  readonly groups?: readonly string[];
  readonly rules?: readonly Rule[];
}

/** What is to be allowed. */
interface Attributes {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string | null;
  readonly namespace: string | null;
  readonly name: string | null;
}

const covers = (listed: readonly string[], wanted: string) => listed.includes('*') || listed.includes(wanted);

const isAllowed = (user: User, wanted: Attributes): boolean => {
  const resource = wanted.subresource === null ? wanted.resource : `${wanted.resource}/${wanted.subresource}`;
  const allows = (rule: Rule) =>
    covers(rule.verbs, wanted.verb) &&
    covers(rule.apiGroups, wanted.group) &&
    covers(rule.resources, resource) &&
    (rule.namespace === undefined || rule.namespace === wanted.namespace) &&
    (rule.resourceNames === undefined || rule.resourceNames.includes(wanted.name ?? ''));
  return user.rules?.some(allows) ?? true;
};

const anonymous: User = { token: '', user: 'system:anonymous', rules: [] };

/** Who calls, and whether they may. */
export const users = {
  isAllowed,
  isAnonymous: (user: User) => user === anonymous,
  /** Errs with 401 for a token nobody has; without any header the caller is `system:anonymous`, who may nothing. */
  authenticate: (known: readonly User[], authorization: string | undefined): User => {
    if (authorization === undefined) return anonymous;
    const user = known.find(({ token }) => authorization === `Bearer ${token}`);
    if (user === undefined) throw failures.unauthorized();
    return user;
  },
  /** Errs with 403 in the words of the RBAC authorizer. */
  authorize: (user: User, type: ResourceType, wanted: Attributes): void => {
    if (isAllowed(user, wanted)) return;
    const resource = wanted.subresource === null ? wanted.resource : `${wanted.resource}/${wanted.subresource}`;
    const scope = wanted.namespace === null ? 'at the cluster scope' : `in the namespace "${wanted.namespace}"`;
    const what = `cannot ${wanted.verb} resource "${resource}" in API group "${wanted.group}" ${scope}`;
    throw failures.forbidden(type, wanted.name, `User "${user.user}" ${what}`);
  },
};
