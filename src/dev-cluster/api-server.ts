import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Socket } from 'node:net';
import * as x509 from '@peculiar/x509';
import { apiListener, RequestLog } from './api-listener.ts';
import { type Follow, followObject, ObjectStore } from './object-store.ts';
import { WatchTally } from './serve-watch.ts';
import type { User } from './users.ts';

/** Certificate and key of a loopback TLS server, and the CA that its clients trust. All PEM. */
interface ServerIdentity {
  readonly caPem: string;
  readonly certificatePem: string;
  readonly keyPem: string;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY_MS = 86_400_000;

const keyPair = () => crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

const pem = async (key: CryptoKey): Promise<string> =>
  x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');

const names = [
  { type: 'ip', value: '127.0.0.1' },
  { type: 'ip', value: '::1' },
  { type: 'dns', value: 'localhost' },
  { type: 'dns', value: 'kubernetes' },
  { type: 'dns', value: 'kubernetes.default.svc' },
] as const;

/** Issues a new CA and one leaf for the loopback names, valid for 30 days. Nothing is written to disk. */
export const makeServerIdentity = async (): Promise<ServerIdentity> => {
  const [caKeys, leafKeys] = await Promise.all([keyPair(), keyPair()]);
  const notBefore = new Date(Date.now() - 3_600_000);
  const notAfter = new Date(Date.now() + 30 * DAY_MS);
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=kube-apiserver-ca',
    notBefore,
    notAfter,
    keys: caKeys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(caKeys.publicKey),
    ],
  });
  const leaf = await x509.X509CertificateGenerator.create({
    subject: 'CN=kube-apiserver',
    issuer: ca.subject,
    notBefore,
    notAfter,
    publicKey: leafKeys.publicKey,
    signingKey: caKeys.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([...names]),
      await x509.AuthorityKeyIdentifierExtension.create(caKeys.publicKey),
    ],
  });
  return { caPem: ca.toString('pem'), certificatePem: leaf.toString('pem'), keyPem: await pem(leafKeys.privateKey) };
};

export interface ApiServerOptions {
  /** Users in addition to the administrator, whose token is `adminToken`. */
  readonly users?: readonly User[];
  /** 0, the default, selects a free port, which is kept across `stop` and `start`. */
  readonly port?: number;
  /** Default 60 s, as in kube-apiserver. */
  readonly bookmarkIntervalMs?: number;
  /** How many changes a watch can be resumed from. Default 10,000. */
  readonly historyLimit?: number;
}

/** A Kubernetes API server inside this process, with methods that inject the faults of a real one. */
export interface EmbeddedApiServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly caPem: string;
  readonly adminToken: string;
  readonly store: ObjectStore;
  /** For a kubelet in the same process. */
  readonly follow: Follow;
  readonly requests: RequestLog;
  readonly watchEvents: WatchTally;
  /** Number of TLS connections accepted so far. */
  readonly connections: number;
  readonly openWatches: number;
  /** The text of a kubeconfig file for a token; the administrator's by default. */
  kubeconfig(token?: string): string;
  addUser(user: User): void;
  /** Ends every watch cleanly, as kube-apiserver does at its timeout. */
  endWatches(): void;
  /** Destroys every connection, including those with open requests. */
  cutConnections(): void;
  /** Discards the history of changes: watches from an earlier resourceVersion get 410. */
  compact(): void;
  /** Accepts connections and reads requests, but answers nothing until `thaw`. */
  freeze(): void;
  thaw(): void;
  /** Refuses connections and destroys the open ones. Stored objects are kept. */
  stop(): Promise<void>;
  /** Listens again on the same port. */
  start(): Promise<void>;
}

/** Idle timeout of Go's HTTP server. Node's default of 5 s would race with the next request of a client. */
const KEEP_ALIVE_MS = 180_000;

/** Starts a loopback HTTPS server that behaves like kube-apiserver for the kinds of `resource-types.ts`. */
export const startApiServer = async (options: ApiServerOptions = {}): Promise<EmbeddedApiServer> => {
  const identity = await makeServerIdentity();
  const adminToken = randomUUID();
  const known: User[] = [{ token: adminToken, user: 'admin', groups: ['system:masters'] }, ...(options.users ?? [])];
  const store = new ObjectStore(options.historyLimit);
  const requests = new RequestLog();
  const watchEvents = new WatchTally();
  const watches = new Set<ServerResponse>();
  let frozen: PromiseWithResolvers<void> | null = null;
  const sockets = new Set<Socket>();
  let connections = 0;

  const listener = apiListener({
    store,
    users: known,
    log: requests,
    watchEvents,
    bookmarkIntervalMs: options.bookmarkIntervalMs ?? 60_000,
    thawed: () => frozen?.promise ?? Promise.resolve(),
    onWatch: (response) => {
      watches.add(response);
      response.on('close', () => watches.delete(response));
    },
  });
  const server = createServer(
    { cert: identity.certificatePem, key: identity.keyPem, keepAliveTimeout: KEEP_ALIVE_MS },
    listener,
  );
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('secureConnection', () => (connections += 1));
  const cutConnections = () => sockets.forEach((socket) => socket.destroy());

  let port = options.port ?? 0;
  const start = async () => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (typeof address === 'object' && address !== null) port = address.port;
  };
  const stop = async () => {
    if (!server.listening) return;
    server.close();
    cutConnections();
    await once(server, 'close');
  };
  const thaw = () => {
    for (const response of watches) response.uncork();
    frozen?.resolve();
    frozen = null;
  };
  await start();
  const url = `https://127.0.0.1:${port}`;

  return {
    url,
    port,
    caPem: identity.caPem,
    adminToken,
    store,
    follow: followObject(store),
    requests,
    watchEvents,
    get connections() {
      return connections;
    },
    get openWatches() {
      return watches.size;
    },
    kubeconfig: (token = adminToken) => kubeconfig({ url, caPem: identity.caPem, token }),
    addUser: (user) => known.push(user),
    endWatches: () => watches.forEach((response) => response.end()),
    cutConnections,
    compact: () => store.compact(),
    freeze: () => {
      frozen ??= Promise.withResolvers();
      for (const response of watches) response.cork();
    },
    thaw,
    stop,
    start,
    [Symbol.asyncDispose]: async () => {
      thaw();
      await stop();
    },
  };
};

/** Address and credentials of a client. */
interface ApiAccess {
  readonly url: string;
  readonly caPem: string;
  readonly token: string;
}

/** Makes the text of a kubeconfig file for one user of one cluster. It is JSON, which is valid YAML. */
export const kubeconfig = ({ url, caPem, token }: ApiAccess): string =>
  JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          name: 'local',
          cluster: { server: url, 'certificate-authority-data': Buffer.from(caPem).toString('base64') },
        },
      ],
      users: [{ name: 'user', user: { token } }],
      contexts: [{ name: 'local', context: { cluster: 'local', user: 'user' } }],
      'current-context': 'local',
    },
    null,
    2,
  );
