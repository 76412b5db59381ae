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

const own = async (client: KubeClient, permissions: readonly Permission[]): Promise<Access> => {
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
  if (accounts.length === 0) return [await own(client, permissions)];
  try {
    return await Promise.all(accounts.map((account) => askAccess(client, permissions, account)));
  } catch (error) {
    if (!(error instanceof Problem) || (error.status !== 403 && error.status !== 404)) throw error;
    return [await own(client, permissions)];
  }
};

/**
 * What the replicas may do. From a desk that may ask for others, the accounts of the Pods are asked about; a replica
 * asks for itself.
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

/** The request that a denial is about, in a form that changes nothing even if it is let through after all. */
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

/** Since Kubernetes 1.28; an older API server refuses it, and says to whom. */
const REVIEW: KubeRequest = {
  method: 'POST',
  path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
  body: {},
};

const userIn = (message: string): string | null => /User "([^"]+)"/.exec(message)?.[1] ?? null;

/**
 * The name that the API server knows us by, null when it does not say.
 *
 * @param refused a read that is known to be forbidden: a refusal names the one refused
 */
const whoAmI = async (client: KubeClient, refused: KubeRequest | null): Promise<string | null> => {
  for (const request of [REVIEW, ...(refused === null ? [] : [refused])]) {
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
