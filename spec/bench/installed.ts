import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { atomicWriter } from '../support/atomic-writer.ts';
import { pki } from '../support/pki.ts';
import type { MountedPair } from '../support/pki.ts';
import type { RawAnswer } from '../support/raw-api.ts';
import { startApi } from './start-api.ts';
import type { BenchApi } from './start-api.ts';

const namespace = 'hooks';
const service = 'kubetemplater-webhook-service';
const names = ['', `.${namespace}`, `.${namespace}.svc`, `.${namespace}.svc.cluster.local`].map(
  (end) => `${service}${end}`,
);
const leases = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
const leaseName = '8377a775.my.company.com';

/** An API server with a Pod whose Secret is mounted and announced, led by somebody else. */
export interface Installed extends AsyncDisposable {
  readonly api: BenchApi;
  readonly serverName: string;
  /** PEM of the one CA that signs all its certificates. */
  readonly ca: Buffer;
  readonly directory: string;
  /** What a replica in that Pod finds in its environment; ports are the caller's. */
  readonly env: Readonly<Record<string, string>>;
  /** Another certificate of the same CA; it is neither mounted nor announced. */
  issue(): Promise<MountedPair>;
  mount(pair: MountedPair): Promise<void>;
  announce(pair: MountedPair): Promise<void>;
  /** What the leader does each RETRY_PERIOD. */
  renew(): Promise<void>;
}

const ok = async (asked: Promise<RawAnswer>): Promise<void> => {
  const { status, text } = await asked;
  if (status >= 300) throw new Error(text);
};

/** @param folder an empty one */
export const installed = async (folder: string): Promise<Installed> => {
  await using opened = new AsyncDisposableStack();
  const api = opened.use(await startApi());
  const [directory, account] = [join(folder, 'certs'), join(folder, 'serviceaccount')];
  const authority = await pki.authority();
  const writer = atomicWriter(directory);
  const issue = () => pki.pair({ authority, names });
  const mount = ({ certificate, key, trust }: MountedPair) =>
    writer.write({ 'tls.crt': certificate, 'tls.key': key, 'ca.crt': trust });
  const announcement = ({ hash }: MountedPair) => ({
    'kubetemplater.io/cert-ready': 'true',
    'kubetemplater.io/cert-hash': hash,
    'kubetemplater.io/cert-valid-until': new Date(Date.now() + 80_000_000).toISOString().replace(/\.\d+/, ''),
  });

  await Promise.all([mkdir(directory), mkdir(account)]);
  await writeFile(join(account, 'token'), api.adminToken);
  await writeFile(join(account, 'ca.crt'), api.caPem);
  const first = await issue();
  await mount(first);
  await ok(api.admin.post('/api/v1/namespaces', { metadata: { name: namespace } }));
  const labels = { 'app.kubernetes.io/name': 'kubetemplater' };
  const spec = { automountServiceAccountToken: false, containers: [{ name: 'webhook', image: 'none' }] };
  await ok(api.admin.post(`/api/v1/namespaces/${namespace}/pods`, { metadata: { name: 'replica-0', labels }, spec }));
  const now = (): string => `${new Date().toISOString().slice(0, -1)}000Z`;
  const held = { holderIdentity: 'leader', leaseDurationSeconds: 60, acquireTime: now(), renewTime: now() };
  const lease = { metadata: { name: leaseName, annotations: announcement(first) }, spec: held };
  await ok(api.admin.post(leases, lease));
  const patchLease = (body: Parameters<typeof api.admin.patch>[2]) =>
    ok(api.admin.patch('merge', `${leases}/${leaseName}`, body));

  const everything = opened.move();
  return {
    api,
    serverName: `${service}.${namespace}.svc`,
    ca: Buffer.from(authority.certificatePem),
    directory,
    env: {
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: String(api.port),
      SERVICE_ACCOUNT_DIR: account,
      POD_NAMESPACE: namespace,
      POD_NAME: 'replica-0',
      CERT_DIR: directory,
      WEBHOOK_HANDLER: 'builtin:allow',
      NODE_ENV: 'production',
    },
    issue,
    mount,
    announce: (pair) => patchLease({ metadata: { annotations: announcement(pair) } }),
    renew: () => patchLease({ spec: { renewTime: now() } }),
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
};
