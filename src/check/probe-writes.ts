import { firstValueFrom } from 'rxjs';
import { Problem } from '../../streams/problem.ts';
import type { CaBundleField } from '../cluster/targets.ts';
import type { KubeClient } from '../kube/client.ts';
import { FIELD_MANAGER } from '../kube/managed-fields.ts';
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
const mayNotImpersonate = (message: string): boolean => message.includes('cannot impersonate');

/** The API server's answer to a write that was sent as a server-side dry run. */
export type WriteProbe =
  | { readonly state: 'accepted' }
  | { readonly state: 'unknown' }
  | { readonly state: 'rejected'; readonly status: number; readonly why: string };

/** The headers of a request for a replica; null for a request of the user of the check. */
type Actor = NonNullable<KubeRequest['headers']> | null;

/** Statuses that are not about the write itself: the object is gone or changed, or the server is busy. */
const TRANSIENT = new Set([401, 404, 408, 409, 429]);

const isPermanent = (status: number): boolean => status < 500 && !TRANSIENT.has(status);

/**
 * Sends a write as a dry run, which goes through authorization, validation, policies and webhooks, and is not stored. It
 * is sent for the replica if the user of the check may do that. Rejects on bugs only.
 */
const probe = async (client: KubeClient, request: KubeRequest, by: Actor): Promise<WriteProbe> => {
  const headers = by === null ? {} : { headers: by };
  const result = await probeOnce(client, { ...request, ...headers });
  if (by === null || result.state !== 'rejected') return result;
  // A permission that the replica lacks is reported by the permission checks, and would hide what comes after it.
  return mayNotImpersonate(result.why) || isDeniedByRbac(result.why) ? probeOnce(client, request) : result;
};

const probeOnce = async (client: KubeClient, request: KubeRequest): Promise<WriteProbe> => {
  try {
    const query = { fieldManager: FIELD_MANAGER, dryRun: 'All' };
    await firstValueFrom(client.send({ ...request, query }));
    return { state: 'accepted' };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const { status } = error;
    // A webhook with side effects cannot be probed.
    const isUnsupported = error.message.includes('does not support dry run');
    if (status === null || isUnsupported || !isPermanent(status)) return { state: 'unknown' };
    return { state: 'rejected', status, why: error.message };
  }
};

/** Probes the leader's write of caBundle fields. Without a trust bundle, their present values are written. */
export const probeCaBundleWrite = async (
  client: KubeClient,
  path: string,
  fields: readonly CaBundleField[],
  trustPem: string,
  by: Actor,
): Promise<WriteProbe> => {
  const operations = fields.flatMap(({ pointer, pem }) => {
    const value = trustPem === '' ? pem : trustPem;
    return value === '' ? [] : [{ op: 'add', path: pointer, value: Buffer.from(value, 'latin1').toString('base64') }];
  });
  if (operations.length === 0) return { state: 'unknown' };
  return probe(client, { method: 'PATCH', path, contentType: 'application/json-patch+json', body: operations }, by);
};

/** Probes a replica's write of its acknowledgement on a Pod. */
export const probeAcknowledgement = (
  client: KubeClient,
  podPath: string,
  annotations: Readonly<Record<string, string>>,
  by: Actor,
): Promise<WriteProbe> =>
  probe(
    client,
    {
      method: 'PATCH',
      path: `${podPath}/status`,
      contentType: 'application/merge-patch+json',
      body: { metadata: { annotations } },
    },
    by,
  );

/** Whether a rejection comes from the RBAC authorizer, as opposed to validation, a policy or a webhook. */
export const isDeniedByRbac = (why: string): boolean => why.includes('cannot patch resource');
