import { type KubeClient, openKubeClient } from '../../src/kube/client.ts';
import type { ApiError } from '../../src/kube/errors.ts';
import type { KubeResponse } from '../../src/kube/request.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { base64, kubeconfig, type KubeconfigParts } from './kubeconfig.ts';
import type { ScriptedApi } from './scripted-api.ts';

type Parts = Partial<KubeconfigParts> & { readonly onResponse?: (response: KubeResponse) => void };

/** A client for the scripted server that trusts its CA, as user `me` with whatever credentials the spec gives. */
export const openSpecClient = async (api: ScriptedApi, parts: Parts = {}): Promise<KubeClient> => {
  await using directory = await temporaryDirectory();
  const cluster = { 'certificate-authority-data': base64(api.pki.ca), ...parts.cluster };
  const path = await directory.write('config', kubeconfig({ server: api.url, ...parts, cluster }));
  const client = await openKubeClient({ kubeconfig: path, userAgent: 'spec' });
  client.response$.subscribe(parts.onResponse);
  return client;
};

/** The problem a promise is rejected with. */
export const problemOf = async (promise: Promise<unknown>): Promise<ApiError> => {
  try {
    await promise;
  } catch (error) {
    return error as ApiError;
  }
  throw new Error('it did not fail');
};
