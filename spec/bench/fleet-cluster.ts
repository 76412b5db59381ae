import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startKubelet } from '../../src/dev-cluster/kubelet.ts';
import type { Follow } from '../../src/dev-cluster/object-store.ts';
import { startEnvtest } from '../support/envtest.ts';
import { accepted, type Json, type RawApi, rawApi } from '../support/raw-api.ts';
import { webhookTarget } from '../support/webhook-target.ts';
import { startApi } from './installed.ts';

/** Replicas of one installation that a fleet is to hold. */
export interface FleetOrder {
  /** Variables that all of them have; POD_NAME is each one's own. */
  readonly env: Readonly<Record<string, string>>;
  readonly names: readonly string[];
  readonly host: string;
  readonly port: number;
  /** Holds `token` and `ca.crt`. */
  readonly account: string;
}

/** What the process of a fleet answers to an order: all of them are ready. */
export interface FleetReply {
  readonly type: 'added';
}

export interface FleetLease {
  readonly collection: string;
  readonly name: string;
  readonly path: string;
}

/** The Lease of a fleet, under the daemon's default name. */
export const leaseOf = (namespace: string): FleetLease => {
  const [collection, name] = [`/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`, '8377a775.my.company.com'];
  return { collection, name, path: `${collection}/${name}` };
};

export interface FleetPlace {
  readonly port: number;
  readonly caPem: string;
  readonly admin: RawApi;
  readonly follow: Follow;
  /** An empty one. */
  readonly folder: string;
  readonly namespace: string;
  readonly replicas: number;
  /** Webhook configurations whose caBundle is kept. Default 1. */
  readonly targets?: number;
  /** Of who all its replicas are to the API server. */
  readonly token: string;
}

/**
 * An installation with nothing in it yet but Pods, a webhook configuration and a kubelet that mounts the Secret: its
 * replicas elect, issue, announce, adopt and acknowledge all by themselves.
 */
export const fleetInstallation = async (place: FleetPlace): Promise<FleetOrder & AsyncDisposable> => {
  const { port, caPem, admin, follow, folder, namespace, replicas, targets = 1, token } = place;
  const [account, directory] = [join(folder, 'account'), join(folder, 'certs')];
  const names = Array.from({ length: replicas }, (_, number) => `replica-${number}`);
  await mkdir(account, { recursive: true });
  await Promise.all([writeFile(join(account, 'token'), token), writeFile(join(account, 'ca.crt'), caPem)]);

  const created = await admin.post('/api/v1/namespaces', { metadata: { name: namespace } });
  if (created.status !== 201 && created.status !== 409) throw new Error(created.text);
  const webhooks = Array.from({ length: targets }, (_, number) =>
    number === 0 ? namespace : `${namespace}-${number}`,
  );
  for (const name of webhooks) await accepted(admin.post(webhookTarget.collection, webhookTarget.body(name, {})));
  const labels = { 'app.kubernetes.io/name': 'kubetemplater' };
  const spec = {
    nodeName: 'node',
    automountServiceAccountToken: false,
    containers: [{ name: 'webhook', image: 'none' }],
  };
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  for (const name of names) await accepted(admin.post(pods, { metadata: { name, labels }, spec }));
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
      CA_BUNDLE_TARGETS: webhooks.map((name) => `validatingwebhookconfiguration/${name}`).join(','),
      CERT_DIR: directory,
    },
    names,
    host: '127.0.0.1',
    port,
    account,
    [Symbol.asyncDispose]: () => kubelet[Symbol.asyncDispose](),
  };
};

/** A Lease that the bench itself leads. */
export interface LedLease {
  renew(): Promise<void>;
  announce(hash: string): Promise<void>;
}

const announcement = (hash: string) => ({
  'kubetemplater.io/cert-ready': 'true',
  'kubetemplater.io/cert-hash': hash,
  'kubetemplater.io/cert-valid-until': '2099-01-01T00:00:00Z',
});

const now = (): string => `${new Date().toISOString().slice(0, -1)}000Z`;

/** Makes namespace and Lease, held for an hour and announcing this hash. */
export const ledLease = async (admin: RawApi, namespace: string, hash: string): Promise<LedLease> => {
  const { collection, name, path } = leaseOf(namespace);
  await accepted(admin.post('/api/v1/namespaces', { metadata: { name: namespace } }));
  const held = { holderIdentity: 'bench', leaseDurationSeconds: 3_600, leaseTransitions: 0 };
  const spec = { ...held, acquireTime: now(), renewTime: now() };
  await accepted(admin.post(collection, { metadata: { name, annotations: announcement(hash) }, spec }));
  const patch = (body: Json) => accepted(admin.patch('merge', path, body));
  return {
    renew: () => patch({ spec: { renewTime: now() } }),
    announce: (next) => patch({ metadata: { annotations: announcement(next) } }),
  };
};

export interface Fleet extends AsyncDisposable {
  /** Resolves once all of them are ready. */
  add(order: FleetOrder): Promise<void>;
}

/** Many replicas in one process. */
export const startFleet = (): Fleet => {
  const child = fork(fileURLToPath(new URL('fleet.ts', import.meta.url)));
  const ended = once(child, 'exit');
  const failed = ended.then(() => Promise.reject(new Error('the fleet has ended, its stderr says why')));
  failed.catch(() => undefined);
  return {
    add: async (order) => {
      const added = once(child, 'message') as Promise<[FleetReply]>;
      child.send(order);
      await Promise.race([added, failed]);
    },
    [Symbol.asyncDispose]: async () => {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
};

/** An API server in a process of its own. */
export interface FleetCluster extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  readonly caPem: string;
  readonly adminToken: string;
  readonly admin: RawApi;
}

/** A real kube-apiserver where KUBEBUILDER_ASSETS says where one is, else the embedded one. */
export const startFleetCluster = async (): Promise<FleetCluster> => {
  if (process.env['KUBEBUILDER_ASSETS'] === undefined)
    return { ...(await startApi()), name: 'embedded API server (KUBEBUILDER_ASSETS names no kube-apiserver)' };
  const envtest = await startEnvtest();
  const { url, port, caPem, adminToken } = envtest;
  const admin = rawApi({ url, caPem, token: adminToken });
  return {
    name: 'kube-apiserver',
    port,
    caPem,
    adminToken,
    admin,
    [Symbol.asyncDispose]: async () => {
      admin[Symbol.dispose]();
      await envtest[Symbol.asyncDispose]();
    },
  };
};
