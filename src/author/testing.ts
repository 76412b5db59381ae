/** For tests of handlers and of programs that embed webhook-certd: `webhook-certd/testing`. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Problem } from '../../streams/problem.ts';
import { type EmbeddedApiServer, startApiServer } from '../dev-cluster/api-server.ts';
import { startKubelet } from '../dev-cluster/kubelet.ts';
import { resourceTypes } from '../dev-cluster/resource-types.ts';

export { callHandler, type HandlerCall, type HandlerResult } from './call-handler.ts';
export { type Attempt, requestOf } from './review.ts';

export interface TestAnswer {
  readonly status: number;
  /** The parsed JSON. */
  readonly body: unknown;
}

/** An API server inside this process, with the parts of Kubernetes that an admission webhook needs. */
export interface TestCluster extends AsyncDisposable {
  readonly url: string;
  /** PEM of the CA of the API server. */
  readonly caPem: string;
  /** Bearer token of an administrator. */
  readonly token: string;
  /** The text of a kubeconfig file of the administrator, for kubectl and client libraries. */
  kubeconfig(): string;
  /** Sends a request as the administrator. A PATCH is a JSON merge patch. */
  send(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<TestAnswer>;
  /**
   * Creates an object.
   *
   * @throws Problem with the message of the API server, or when it does not know the kind
   */
  create(object: TestObject): Promise<void>;
  /** Creates a Pod and mounts its Secret as a kubelet does. */
  addPod(options?: TestPodOptions): Promise<TestPod>;
  /** Ends every watch cleanly, as kube-apiserver does after some minutes. */
  endWatches(): void;
  /** Destroys every connection. */
  cutConnections(): void;
  /** Refuses connections until `start`. Objects are kept. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Accepts connections, but answers nothing until `thaw`. */
  freeze(): void;
  thaw(): void;
}

export interface TestObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

export interface TestPodOptions {
  /** NAME of the installation that the Pod belongs to. Default `webhook`. */
  readonly installation?: string;
  /** Default `default`. */
  readonly namespace?: string;
  /** Default INSTALLATION-0, and so on. */
  readonly name?: string;
  /** From a change of the Secret to its delivery, ms. Default 60 s, as a real kubelet; a nudge delivers at once. */
  readonly delayMs?: number;
}

/** A Pod with a mounted Secret. */
export interface TestPod {
  readonly name: string;
  /** Where the Secret is mounted. */
  readonly directory: string;
  /** The variables of webhook-certd in this Pod. It listens on free loopback ports and has no caBundle target. */
  readonly env: Readonly<Record<string, string>>;
}

const KUBELET_DELAY_MS = 60_000;

const sendTo =
  ({ url, caPem, adminToken }: EmbeddedApiServer): TestCluster['send'] =>
  (method, path, body) =>
    new Promise((resolve, reject) => {
      const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
      const headers = { authorization: `Bearer ${adminToken}`, 'content-type': type };
      request(`${url}${path}`, { method, ca: caPem, agent: false, headers }, (response) => {
        text(response)
          .then((answer) => resolve({ status: response.statusCode ?? 0, body: JSON.parse(answer) as unknown }))
          .catch(reject);
      })
        .once('error', reject)
        .end(body === undefined ? undefined : JSON.stringify(body));
    });

/** The path of the collection that an object belongs to. @throws Problem for a kind that the server does not know */
const collectionOf = ({ apiVersion, kind, metadata }: TestObject): string => {
  const [version = '', group = ''] = apiVersion.split('/').toReversed();
  const type = resourceTypes.find((each) => each.group === group && each.version === version && each.kind === kind);
  if (type === undefined) {
    const known = resourceTypes.filter(({ isStored }) => isStored).map((each) => each.kind);
    throw new Problem(`${apiVersion} ${kind}: expected one of ${known.join(', ')}`);
  }
  const base = group === '' ? `/api/${version}` : `/apis/${apiVersion}`;
  return `${base}${type.isNamespaced ? `/namespaces/${metadata.namespace ?? 'default'}` : ''}/${type.resource}`;
};

/** Starts one, with nothing in it. */
export const startTestCluster = async (): Promise<TestCluster> => {
  await using opened = new AsyncDisposableStack();
  const server = opened.use(await startApiServer());
  const folder = await mkdtemp(join(tmpdir(), 'webhook-certd-testing-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, server.kubeconfig(), { mode: 0o600 });
  const send = sendTo(server);
  const everything = opened.move();
  let pods = 0;

  const create: TestCluster['create'] = async (object) => {
    const { status, body } = await send('POST', collectionOf(object), object);
    if (status !== 201) throw new Problem((body as { readonly message?: string }).message ?? `HTTP ${status}`, status);
  };
  const addPod: TestCluster['addPod'] = async (options = {}) => {
    const { installation = 'webhook', namespace = 'default', delayMs = KUBELET_DELAY_MS } = options;
    const name = options.name ?? `${installation}-${pods}`;
    pods += 1;
    const directory = join(folder, namespace, name);
    const labels = { 'app.kubernetes.io/name': installation };
    const spec = { nodeName: 'node', containers: [{ name: 'webhook', image: 'webhook' }] };
    await create({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, labels }, spec });
    const secretName = `${installation}-cert`;
    everything.use(await startKubelet({ server, namespace, podName: name, secretName, directory, delayMs }));
    const env = {
      KUBECONFIG: kubeconfig,
      NAME: installation,
      POD_NAME: name,
      POD_NAMESPACE: namespace,
      CERT_DIR: directory,
      CA_BUNDLE_TARGETS: '',
      WEBHOOK_BIND_ADDRESS: '127.0.0.1:0',
      HEALTH_PROBE_BIND_ADDRESS: '127.0.0.1:0',
      METRICS_BIND_ADDRESS: '0',
    };
    return { name, directory, env };
  };
  return {
    url: server.url,
    caPem: server.caPem,
    token: server.adminToken,
    kubeconfig: () => server.kubeconfig(),
    send,
    create,
    addPod,
    endWatches: () => server.endWatches(),
    cutConnections: () => server.cutConnections(),
    stop: () => server.stop(),
    start: () => server.start(),
    freeze: () => server.freeze(),
    thaw: () => server.thaw(),
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
};
