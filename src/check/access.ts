import { firstValueFrom, from, map, mergeMap, toArray } from 'rxjs';
import * as z from 'zod';
import type { Permission } from '../cluster/permissions.ts';
import type { KubeClient } from '../kube/client.ts';
import { decodeOrThrow } from '../kube/errors.ts';

/** What is asked of one permission: one verb, on one name where it has names. */
export interface Denial {
  readonly permission: Permission;
  readonly verb: string;
  readonly name: string | null;
}

/** What one account may do. */
export interface Access {
  /** As RBAC names it, `system:serviceaccount:ns:name`; null when nobody says. */
  readonly user: string | null;
  readonly permissions: readonly Permission[];
  readonly denials: readonly Denial[];
}

/** Whoever asks, or the replicas' account when whoever asks may ask for others. */
export type Subject =
  { readonly kind: 'self' } | { readonly kind: 'account'; readonly namespace: string; readonly name: string };

const REVIEWS = '/apis/authorization.k8s.io/v1';
/** So that the API server's fairness does not take it for a storm. */
const AT_ONCE = 6;

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
 * @throws KubeProblem 403 when whoever asks may not ask for another account, 404 when the API server has no such review
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
  const ask = (question: Denial) => {
    const resourceAttributes = attributesOf(question);
    const spec = user === null ? { resourceAttributes } : { user, groups, resourceAttributes };
    return client.send({ method: 'POST', path, body: { spec } }).pipe(
      map((answer) => ({
        question,
        allowed: decodeOrThrow('the access review', () => schema.parse(answer)).status.allowed,
      })),
    );
  };
  const answers = await firstValueFrom(from(permissions.flatMap(questionsOf)).pipe(mergeMap(ask, AT_ONCE), toArray()));
  const denied = new Set(answers.filter(({ allowed }) => !allowed).map(({ question }) => question));
  // In the order of the permissions, not of the answers.
  const denials = permissions
    .flatMap(questionsOf)
    .filter((each) =>
      [...denied].some(
        ({ permission, verb, name }) => permission === each.permission && verb === each.verb && name === each.name,
      ),
    );
  return { user, permissions, denials };
};
/** Replicas do without these after one warning: acknowledgements and nudges, and Events. */
export const isOptional = ({ resource }: Permission): boolean => resource === 'pods/status' || resource === 'events';
