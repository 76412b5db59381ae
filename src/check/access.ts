import { firstValueFrom, from, map, mergeMap, toArray } from 'rxjs';
import * as z from 'zod';
import { Problem } from '../../streams/problem.ts';
import type { Permission } from '../cluster/permissions.ts';
import type { KubeClient } from '../kube/client.ts';
import { decodeOrThrow } from '../kube/errors.ts';
import type { KubeRequest } from '../kube/request.ts';
import type { PodInfo } from './inspect-pod.ts';

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
type Subject =
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
const askAccess = async (client: KubeClient, permissions: readonly Permission[], subject: Subject): Promise<Access> => {
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

const accountsOf = (pods: readonly PodInfo[], namespace: string): readonly Subject[] =>
  [...new Set(pods.flatMap(({ serviceAccount }) => serviceAccount ?? []))].map((name) => ({
    kind: 'account',
    namespace,
    name,
  }));

const reviewSelf = async (client: KubeClient, permissions: readonly Permission[]): Promise<Access> => {
  const access = await askAccess(client, permissions, { kind: 'self' });
  const [first] = access.denials;
  return { ...access, user: await whoAmI(client, first === undefined ? null : forbiddenRequest(first)) };
};

const survey = async (
  client: KubeClient,
  permissions: readonly Permission[],
  pods: readonly PodInfo[],
  namespace: string,
): Promise<readonly Access[]> => {
  const accounts = accountsOf(pods, namespace);
  if (accounts.length === 0) return [await reviewSelf(client, permissions)];
  try {
    return await Promise.all(accounts.map((account) => askAccess(client, permissions, account)));
  } catch (error) {
    if (!(error instanceof Problem) || (error.status !== 403 && error.status !== 404)) throw error;
    return [await reviewSelf(client, permissions)];
  }
};

/** The permissions of the replicas, as far as they can be reviewed. */
export interface AccessSurvey {
  /** One for each service account of the replicas, or one for the user of the check. */
  readonly access: readonly Access[];
  /** Why permissions cannot be reviewed, else null. */
  readonly accessProblem: string | null;
}

/**
 * Reviews the permissions of the replicas: of the service accounts of their Pods when the user of the check may review
 * other accounts, else of that user itself.
 */
export const surveyAccess = async (...args: Parameters<typeof survey>): Promise<AccessSurvey> => {
  try {
    return { access: await survey(...args), accessProblem: null };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { access: [], accessProblem: error.message };
  }
};

/** A request that exercises a denied permission. It is a read or a dry run, so it changes nothing if it is allowed. */
const forbiddenRequest = ({ permission, verb, name }: Denial): KubeRequest => {
  const { apiGroup, resource, namespace } = permission;
  const [plural = '', subresource] = resource.split('/');
  const root = apiGroup === '' ? '/api/v1' : `/apis/${apiGroup}/v1`;
  const collection = `${root}${namespace === null ? '' : `/namespaces/${encodeURIComponent(namespace)}`}/${plural}`;
  const item = `${collection}/${encodeURIComponent(name ?? 'none')}${subresource === undefined ? '' : `/${subresource}`}`;
  const selected: Record<string, string> = name === null ? {} : { fieldSelector: `metadata.name=${name}` };
  switch (verb) {
    case 'list':
      return { method: 'GET', path: collection, query: { ...selected, limit: '1' } };
    case 'watch':
      return { method: 'GET', path: collection, query: { ...selected, watch: 'true', timeoutSeconds: '1' } };
    case 'create':
      return { method: 'POST', path: collection, query: { dryRun: 'All' }, body: {} };
    case 'patch':
      return {
        method: 'PATCH',
        path: item,
        query: { dryRun: 'All' },
        contentType: 'application/merge-patch+json',
        body: {},
      };
    default:
      return { method: 'GET', path: item };
  }
};

const selfReview = z.object({ status: z.object({ userInfo: z.object({ username: z.string() }) }) });

/** Available since Kubernetes 1.28; the error of an older API server names the user. */
const REVIEW: KubeRequest = {
  method: 'POST',
  path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
  body: {},
};

const userIn = (message: string): string | null => /User "([^"]+)"/.exec(message)?.[1] ?? null;

/**
 * The user name of this client at the API server, null when it cannot be found out.
 *
 * @param forbidden a request that is known to be forbidden: the error names the user
 */
const whoAmI = async (client: KubeClient, forbidden: KubeRequest | null): Promise<string | null> => {
  for (const request of [REVIEW, ...(forbidden === null ? [] : [forbidden])]) {
    try {
      const answer = selfReview.safeParse(await firstValueFrom(client.send(request)));
      if (answer.success) return answer.data.status.userInfo.username;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const user = userIn(error.message);
      if (user !== null) return user;
    }
  }
  return null;
};
