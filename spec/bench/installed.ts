import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { atomicWriter } from '../support/atomic-writer.ts';
import { firstLine } from '../support/first-line.ts';
import { type MountedPair, pki } from '../support/pki.ts';
import { accepted, type RawApi, rawApi } from '../support/raw-api.ts';

export interface BenchApi extends AsyncDisposable {
  readonly port: number;
  readonly caPem: string;
  readonly adminToken: string;
  readonly admin: RawApi;
}

/** Starts the embedded API server beside us, so that its work is not ours. */
export const startApi = async (): Promise<BenchApi> => {
  const script = fileURLToPath(new URL('api-server.ts', import.meta.url));
  const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const line = await firstLine(child.stdout, script);
  const told = JSON.parse(line) as Pick<BenchApi, 'port' | 'caPem' | 'adminToken'> & { readonly url: string };
  const admin = rawApi({ url: told.url, caPem: told.caPem, token: told.adminToken });
  return {
    ...told,
    admin,
    [Symbol.asyncDispose]: async () => {
      admin[Symbol.dispose]();
      child.stdin.end();
      await ended;
    },
  };
};

/** A pair as the files of a mounted Secret. */
export const filesOf = ({ certificate, key, trust }: MountedPair): Readonly<Record<string, Buffer>> => ({
  'tls.crt': certificate,
  'tls.key': key,
  'ca.crt': trust,
});

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
  readonly namespace: string;
  readonly serverName: string;
  /** PEM of the one CA that signs all its certificates. */
  readonly ca: Buffer;
  /** Holds the Secret of the replica. */
  readonly directory: string;
  /** What a replica in that Pod finds in its environment, ports left aside. */
  readonly env: Readonly<Record<string, string>>;
  /** Another certificate of the same CA; it is neither mounted nor announced. */
  readonly issue: () => Promise<MountedPair>;
  /** Makes all ready for a swap of `..data`, which is the function it resolves with. */
  readonly prepareMount: (pair: MountedPair) => Promise<() => Promise<void>>;
  /** As its leader, and so renews. */
  readonly announce: (pair: MountedPair) => Promise<void>;
  /** What the leader does each RETRY_PERIOD. */
  readonly renew: () => Promise<void>;
}

/**
 * @param folder an empty one
 * @param isLed false: there is no Lease and nothing is mounted, so a replica will lead and issue
 */
export const installed = async (folder: string, isLed = true): Promise<Installed> => {
  await using opened = new AsyncDisposableStack();
  const api = opened.use(await startApi());
  const [directory, account] = [join(folder, 'certs'), join(folder, 'serviceaccount')];
  const authority = await pki.authority();
  const writer = atomicWriter(directory);
  const issue = () => pki.pair({ authority, names });
  const announcement = ({ hash }: MountedPair) => ({
    'kubetemplater.io/cert-ready': 'true',
    'kubetemplater.io/cert-hash': hash,
    'kubetemplater.io/cert-valid-until': new Date(Date.now() + 80_000_000).toISOString().replace(/\.\d+/, ''),
  });

  await Promise.all([mkdir(directory, { recursive: true }), mkdir(account, { recursive: true })]);
  await writeFile(join(account, 'token'), api.adminToken);
  await writeFile(join(account, 'ca.crt'), api.caPem);
  await accepted(api.admin.post('/api/v1/namespaces', { metadata: { name: namespace } }));
  const labels = { 'app.kubernetes.io/name': 'kubetemplater' };
  const spec = {
    nodeName: 'node',
    automountServiceAccountToken: false,
    containers: [{ name: 'webhook', image: 'none' }],
  };
  await accepted(
    api.admin.post(`/api/v1/namespaces/${namespace}/pods`, { metadata: { name: 'replica-0', labels }, spec }),
  );
  const now = (): string => `${new Date().toISOString().slice(0, -1)}000Z`;
  if (isLed) {
    const first = await issue();
    await writer.write(filesOf(first));
    const held = { holderIdentity: 'leader', leaseDurationSeconds: 60, acquireTime: now(), renewTime: now() };
    await accepted(
      api.admin.post(leases, { metadata: { name: leaseName, annotations: announcement(first) }, spec: held }),
    );
  }
  const patchLease = (body: Parameters<typeof api.admin.patch>[2]) =>
    accepted(api.admin.patch('merge', `${leases}/${leaseName}`, body));

  const everything = opened.move();
  return {
    api,
    namespace,
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
      CA_BUNDLE_TARGETS: '',
      WEBHOOK_HANDLER: 'builtin:allow',
      NODE_ENV: 'production',
    },
    issue,
    prepareMount: (pair) => writer.prepare(filesOf(pair)),
    announce: (pair) => patchLease({ metadata: { annotations: announcement(pair) }, spec: { renewTime: now() } }),
    renew: () => patchLease({ spec: { renewTime: now() } }),
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
};

const bytes = (value: unknown): Buffer => Buffer.from(String(value), 'base64');

/** What a kubelet does with the Secret that a new leader writes, once. Resolves with its CA. */
export const mountIssued = async ({ api, namespace, directory }: Installed): Promise<Buffer> => {
  const path = `/api/v1/namespaces/${namespace}/secrets/kubetemplater-webhook-cert`;
  const endMs = performance.now() + 60_000;
  for (;;) {
    const secret = await api.admin.get(path);
    if (secret.status === 200 && secret.at('data', 'tls.crt') !== undefined) {
      const files = ['tls.crt', 'tls.key', 'ca.crt'].map((name) => [name, bytes(secret.at('data', name))] as const);
      await atomicWriter(directory).write(Object.fromEntries(files));
      return bytes(secret.at('data', 'ca.crt'));
    }
    if (performance.now() > endMs) throw new Error('nobody has issued a certificate');
    await delay(50);
  }
};
