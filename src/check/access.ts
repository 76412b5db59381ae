import { firstValueFrom, from, map, mergeMap, toArray } from 'rxjs';
import * as z from 'zod';
import type { Permission } from '../cluster/permissions.ts';
import type { KubeClient } from '../kube/client.ts';
import { decodeOrThrow } from '../kube/errors.ts';

/** One verb of a permission that is not granted, on one name where the permission has names. */
export interface Denial {
  readonly permission: Permission;
  readonly verb: string;
  readonly name: string | null;
}

/** The permissions of one account. */
export interface Access {
  /** User name as in RBAC, `system:serviceaccount:ns:name`; null when the API server does not name it. */
  readonly user: string | null;
  readonly permissions: readonly Permission[];
  readonly denials: readonly Denial[];
}

/** The account that runs the check, or the service account of the replicas when the former may review other accounts. */
export type Subject =
  { readonly kind: 'self' } | { readonly kind: 'account'; readonly namespace: string; readonly name: string };

const REVIEWS = '/apis/authorization.k8s.io/v1';
/** Concurrent reviews, few enough for the API server's priority and fairness limits. */
const CONCURRENCY = 6;

const schema = z.object({ status: z.object({ allowed: z.boolean() }) });

const questionsOf = (permission: Permission): readonly Denial[] =>
  permission.verbs.flatMap((verb) =>
    (permission.names.length === 0 ? [null] : permission.names).map((name) => ({ permission, verb, name })),
  );

const attributesOf = ({ permission, verb, name }: Denial): Readonly<Record<string, string>> => {
  const [resource = '', subresource] = permission.resource.split('/');
  return {
    verb,
    group: permission.apiGroup,
    resource,
    ...(subresource === undefined ? {} : { subresource }),
    ...(permission.namespace === null ? {} : { namespace: permission.namespace }),
    ...(name === null ? {} : { name }),
  };
};

const userOf = (subject: Subject): string | null =>
  subject.kind === 'self' ? null : `system:serviceaccount:${subject.namespace}:${subject.name}`;

/**
 * Asks the API server's authorizer about every verb and name of every permission.
 *
 * @throws ApiError 403 when the caller may not review another account, 404 when the API server has no such review
 */
export const askAccess = async (
  client: KubeClient,
  permissions: readonly Permission[],
  subject: Subject,
): Promise<Access> => {
  const user = userOf(subject);
  const groups =
    subject.kind === 'self'
      ? []
      : ['system:serviceaccounts', `system:serviceaccounts:${subject.namespace}`, 'system:authenticated'];
  const path = `${REVIEWS}/${subject.kind === 'self' ? 'selfsubjectaccessreviews' : 'subjectaccessreviews'}`;
  const review = (question: Denial) => {
    const resourceAttributes = attributesOf(question);
    const spec = user === null ? { resourceAttributes } : { user, groups, resourceAttributes };
    return client.send({ method: 'POST', path, body: { spec } }).pipe(
      map((answer) => ({
        question,
        allowed: decodeOrThrow('the access review', () => schema.parse(answer)).status.allowed,
      })),
    );
  };
  const answers = await firstValueFrom(
    from(permissions.flatMap(questionsOf)).pipe(mergeMap(review, CONCURRENCY), toArray()),
  );
  const denied = new Set(answers.filter(({ allowed }) => !allowed).map(({ question }) => question));
  // Sorted like the permissions: answers arrive in any order.
  const denials = permissions
    .flatMap(questionsOf)
    .filter((each) =>
      [...denied].some(
        ({ permission, verb, name }) => permission === each.permission && verb === each.verb && name === each.name,
      ),
    );
  return { user, permissions, denials };
};

/** Whether replicas work without this permission, after one warning: acknowledgements, nudges and Events need it. */
export const isOptional = ({ resource }: Permission): boolean => resource === 'pods/status' || resource === 'events';
