import type { KubeRequest } from '../kube/request.ts';
import type { PodInfo } from './inspect-pod.ts';

type Headers = NonNullable<KubeRequest['headers']>;

/** The claim of a service account's token that names its Pod, as policies read it. */
const POD_NAME_CLAIM = 'authentication.kubernetes.io/pod-name';

/** Has the API server treat a request as one of a replica, so that a dry run meets the policies that the replica meets. */
export const asReplica = ({ name, serviceAccount }: PodInfo, namespace: string): Headers => ({
  'impersonate-user': `system:serviceaccount:${namespace}:${serviceAccount ?? 'default'}`,
  'impersonate-group': ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
  [`impersonate-extra-${encodeURIComponent(POD_NAME_CLAIM)}`]: name,
});

/** Whether a request was refused because its user must not act for another one. */
export const mayNotImpersonate = (message: string): boolean => message.includes('cannot impersonate');
