import { firstValueFrom } from 'rxjs';
import * as z from 'zod';
import { Problem } from '../../streams/problem.ts';
import type { Permission } from '../cluster/permissions.ts';
import type { KubeClient } from '../kube/client.ts';
import type { KubeRequest } from '../kube/request.ts';
import { type Access, askAccess, type Denial, type Subject } from './access.ts';
import type { PodInfo } from './inspect-pod.ts';
import type { ClusterSnapshot } from './snapshot.ts';

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

/**
 * Reviews the permissions of the replicas: of the service accounts of their Pods when the user of the check may review
 * other accounts, else of that user itself.
 */
export const surveyAccess = async (
  ...args: Parameters<typeof survey>
): Promise<Pick<ClusterSnapshot, 'access' | 'accessProblem'>> => {
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
