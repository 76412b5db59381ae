import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startKubelet } from '../../src/dev-cluster/kubelet.ts';
import type { Follow } from '../../src/dev-cluster/object-store.ts';
import type { RawAnswer, RawApi } from '../support/raw-api.ts';
import { webhookTarget } from '../support/webhook-target.ts';
import type { FleetOrder } from './fleet-protocol.ts';

export interface FleetPlace {
  readonly port: number;
  readonly caPem: string;
  readonly admin: RawApi;
  readonly follow: Follow;
  /** An empty one. */
  readonly folder: string;
  readonly namespace: string;
  readonly replicas: number;
  /** Of who all its replicas are to the API server. */
  readonly token: string;
}

const ok = async (asked: Promise<RawAnswer>): Promise<void> => {
  const { status, text } = await asked;
  if (status >= 300) throw new Error(text);
};

/**
 * An installation with nothing in it yet but Pods, a webhook configuration and a kubelet that mounts the Secret: its
 * replicas elect, issue, announce, adopt and acknowledge all by themselves.
 */
export const fleetInstallation = async (place: FleetPlace): Promise<FleetOrder & AsyncDisposable> => {
  const { port, caPem, admin, follow, folder, namespace, replicas, token } = place;
  const [account, directory] = [join(folder, 'account'), join(folder, 'certs')];
  const names = Array.from({ length: replicas }, (_, number) => `replica-${number}`);
  await mkdir(account, { recursive: true });
  await Promise.all([writeFile(join(account, 'token'), token), writeFile(join(account, 'ca.crt'), caPem)]);

  const created = await admin.post('/api/v1/namespaces', { metadata: { name: namespace } });
  if (created.status !== 201 && created.status !== 409) throw new Error(created.text);
  await ok(admin.post(webhookTarget.collection, webhookTarget.body(namespace, {})));
  const labels = { 'app.kubernetes.io/name': 'kubetemplater' };
  const spec = { automountServiceAccountToken: false, containers: [{ name: 'webhook', image: 'none' }] };
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  for (const name of names) await ok(admin.post(pods, { metadata: { name, labels }, spec }));
  const kubelet = await startKubelet({
    server: { follow },
    namespace,
    podName: 'replica-0',
    secretName: 'kubetemplater-webhook-cert',
    directory,
    delayMs: 100,
  });
  return {
    env: {
      POD_NAMESPACE: namespace,
      CA_BUNDLE_TARGETS: `validatingwebhookconfiguration/${namespace}`,
      CERT_DIR: directory,
    },
    names,
    host: '127.0.0.1',
    port,
    account,
    [Symbol.asyncDispose]: () => kubelet[Symbol.asyncDispose](),
  };
};
