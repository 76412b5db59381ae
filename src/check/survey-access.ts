import { Problem } from '../../streams/problem.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Permission } from '../permissions.ts';
import { askAccess } from './ask-access.ts';
import type { Access, Subject } from './ask-access.ts';
import { forbiddenRequest } from './forbidden-request.ts';
import type { Evidence } from './evidence.ts';
import type { PodLook } from './look-at-pod.ts';
import { whoAmI } from './who-am-i.ts';

const accountsOf = (pods: readonly PodLook[], namespace: string): readonly Subject[] =>
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
  pods: readonly PodLook[],
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
): Promise<Pick<Evidence, 'access' | 'accessProblem'>> => {
  try {
    return { access: await survey(...args), accessProblem: null };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { access: [], accessProblem: error.message };
  }
};
