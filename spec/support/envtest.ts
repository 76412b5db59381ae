import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kubeconfig, makeServerIdentity } from '../../src/dev-cluster/api-server.ts';
import { freePort } from './free-port.ts';
import { type RawApi, rawApi } from './raw-api.ts';
import { type Program, runProgram } from './run-program.ts';

/** A real etcd and a real kube-apiserver with RBAC, and nothing else: no controllers, no scheduler, no kubelet. */
export interface Envtest extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly caPem: string;
  /** A member of system:masters. */
  readonly adminToken: string;
  kubeconfig(token: string): string;
  /** Makes the account when it is not there yet and returns a token for it, good for an hour. */
  serviceAccountToken(namespace: string, name: string): Promise<string>;
  /** Kills kube-apiserver at once; etcd keeps everything. */
  stop(): Promise<void>;
  /** Starts it again on the same port and waits until it is ready. */
  start(): Promise<void>;
  /** Kills etcd at once, under kube-apiserver; what it has acknowledged is on disk. */
  stopEtcd(): Promise<void>;
  startEtcd(): Promise<void>;
  readonly etcdPort: number;
  /** Starts another kube-apiserver on the same etcd, reached at that port, and waits until it is ready. */
  beside(etcdPort: number): Promise<{ readonly url: string } & AsyncDisposable>;
  /** Makes etcd forget every revision before now. What kube-apiserver's own cache remembers stays until a restart. */
  compactEtcd(): Promise<void>;
  /** What every service account asked so far, one JSON event a line; only with `audit`. */
  auditLog(): Promise<string>;
}

export interface EnvtestOptions {
  /** Without its watch cache the API server asks etcd for everything, and never sends a bookmark. Default true. */
  readonly watchCache?: boolean;
  /** Whether kube-apiserver keeps an audit log. Default false. */
  readonly audit?: boolean;
  /** PEM of the certificate and key that kube-apiserver shows to every webhook. Default none. */
  readonly webhookClient?: { readonly certificate: string; readonly key: string };
}

const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata', userGroups: ['system:serviceaccounts'] }, { level: 'None' }],
};

/** How an administrator gives kube-apiserver a certificate for its webhooks; any webhook, by `*`. */
const admissionControl = (folder: string) => ({
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'AdmissionConfiguration',
  plugins: ['ValidatingAdmissionWebhook', 'MutatingAdmissionWebhook'].map((name) => ({
    name,
    configuration: {
      apiVersion: 'apiserver.config.k8s.io/v1',
      kind: 'WebhookAdmissionConfiguration',
      kubeConfigFile: join(folder, 'webhooks.json'),
    },
  })),
});

const webhookClients = ({ certificate, key }: { readonly certificate: string; readonly key: string }) => {
  const encoded = (pem: string) => Buffer.from(pem).toString('base64');
  const user = { 'client-certificate-data': encoded(certificate), 'client-key-data': encoded(key) };
  return { apiVersion: 'v1', kind: 'Config', users: [{ name: '*', user }] };
};

const keyPem = { format: 'pem', type: 'pkcs8' } as const;

const layOutFiles = async (folder: string, adminToken: string, { webhookClient }: EnvtestOptions) => {
  const identity = await makeServerIdentity();
  const account = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const files = {
    'tls.crt': identity.certificatePem,
    'tls.key': identity.keyPem,
    'sa.key': account.privateKey.export(keyPem),
    'sa.pub': account.publicKey.export({ format: 'pem', type: 'spki' }),
    'audit.json': JSON.stringify(auditPolicy),
    'tokens.csv': `${adminToken},admin,admin,"system:masters"\n`,
    'admission.json': JSON.stringify(admissionControl(folder)),
    'webhooks.json': webhookClient === undefined ? '{}' : JSON.stringify(webhookClients(webhookClient)),
  };
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text)));
  return identity.caPem;
};

const etcdFlags = (folder: string, clientUrl: string, peerUrl: string) => [
  `--data-dir=${join(folder, 'etcd')}`,
  `--listen-client-urls=${clientUrl}`,
  `--advertise-client-urls=${clientUrl}`,
  `--listen-peer-urls=${peerUrl}`,
  `--initial-advertise-peer-urls=${peerUrl}`,
  `--initial-cluster=default=${peerUrl}`,
];

const apiServerFlags = (folder: string, port: number, etcdUrl: string, options: EnvtestOptions) => [
  `--etcd-servers=${etcdUrl}`,
  '--bind-address=127.0.0.1',
  '--advertise-address=127.0.0.1',
  `--secure-port=${port}`,
  `--cert-dir=${folder}`,
  `--tls-cert-file=${join(folder, 'tls.crt')}`,
  `--tls-private-key-file=${join(folder, 'tls.key')}`,
  `--token-auth-file=${join(folder, 'tokens.csv')}`,
  '--authorization-mode=RBAC',
  `--service-account-key-file=${join(folder, 'sa.pub')}`,
  `--service-account-signing-key-file=${join(folder, 'sa.key')}`,
  '--service-account-issuer=https://kubernetes.default.svc',
  '--service-cluster-ip-range=10.0.0.0/24',
  // No controller makes the default account that this plugin would ask for before it lets a Pod in.
  '--disable-admission-plugins=ServiceAccount',
  `--watch-cache=${options.watchCache ?? true}`,
  ...(options.audit === true
    ? [`--audit-policy-file=${join(folder, 'audit.json')}`, `--audit-log-path=${join(folder, 'audit.log')}`]
    : []),
  ...(options.webhookClient === undefined ? [] : [`--admission-control-config-file=${join(folder, 'admission.json')}`]),
];

/**
 * Starts both from the folder that KUBEBUILDER_ASSETS names, on free loopback ports, with data in a temporary folder
 * that disposal deletes. Errs with the end of the program's log when one of them does not come up.
 */
export const startEnvtest = async (options: EnvtestOptions = {}): Promise<Envtest> => {
  const assets = process.env['KUBEBUILDER_ASSETS'];
  if (assets === undefined) throw new Error('KUBEBUILDER_ASSETS names no folder with etcd and kube-apiserver');
  const folder = await mkdtemp(join(tmpdir(), 'envtest-'));
  const adminToken = randomUUID();
  const caPem = await layOutFiles(folder, adminToken, options);
  const [clientPort, peerPort, port] = [await freePort(), await freePort(), await freePort()];
  const etcdUrl = `http://127.0.0.1:${clientPort}`;
  const url = `https://127.0.0.1:${port}`;
  const api = rawApi({ url, caPem, token: adminToken });

  let etcd: Program | undefined;
  const startEtcd = async () => {
    etcd = await runProgram({
      command: join(assets, 'etcd'),
      args: etcdFlags(folder, etcdUrl, `http://127.0.0.1:${peerPort}`),
      logFile: join(folder, 'etcd.log'),
      isReady: async () => (await fetch(`${etcdUrl}/health`)).ok,
    });
  };
  await startEtcd();
  const startApiServer = (ownPort: number, ownEtcdUrl: string, own: RawApi): Promise<Program> =>
    runProgram({
      command: join(assets, 'kube-apiserver'),
      args: apiServerFlags(folder, ownPort, ownEtcdUrl, options),
      logFile: join(folder, `kube-apiserver-${ownPort}.log`),
      // It calls itself ready a moment before it has made the first namespace.
      isReady: async () =>
        (await own.get('/readyz')).status === 200 && (await own.get('/api/v1/namespaces/default')).status === 200,
    });
  let apiServer: Program | undefined;
  const start = async () => {
    apiServer = await startApiServer(port, etcdUrl, api);
  };
  const beside: Envtest['beside'] = async (etcdPort) => {
    const ownPort = await freePort();
    const access = { url: `https://127.0.0.1:${ownPort}`, caPem, token: adminToken };
    using own = rawApi(access);
    const program = await startApiServer(ownPort, `http://127.0.0.1:${etcdPort}`, own);
    return { url: access.url, [Symbol.asyncDispose]: () => program.kill() };
  };
  const stop = async () => {
    await apiServer?.kill();
    apiServer = undefined;
  };
  const dispose = async () => {
    api[Symbol.dispose]();
    await stop();
    await etcd?.kill();
    await rm(folder, { recursive: true, force: true });
  };
  await start().catch(async (error: unknown) => {
    await dispose();
    throw error;
  });

  return {
    url,
    port,
    caPem,
    adminToken,
    kubeconfig: (token) => kubeconfig({ url, caPem, token }),
    serviceAccountToken: async (namespace, name) => {
      const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
      await api.post(accounts, { metadata: { name } });
      const spec = { expirationSeconds: 3_600 };
      const answer = await api.post(`${accounts}/${name}/token`, { spec });
      const token = answer.at('status', 'token');
      if (typeof token !== 'string') throw new Error(`no token for ${namespace}/${name}: ${answer.text}`);
      return token;
    },
    stop,
    start,
    stopEtcd: async () => etcd?.kill(),
    startEtcd,
    etcdPort: clientPort,
    beside,
    compactEtcd: async () => {
      const ask = async (path: string, body: object) =>
        (await fetch(`${etcdUrl}/v3/kv/${path}`, { method: 'POST', body: JSON.stringify(body) })).json() as Promise<{
          readonly header?: { readonly revision?: string };
        }>;
      const now = await ask('range', { key: Buffer.from('none').toString('base64') });
      await ask('compaction', { revision: now.header?.revision, physical: true });
    },
    auditLog: () => readFile(join(folder, 'audit.log'), 'utf8'),
    [Symbol.asyncDispose]: dispose,
  };
};
