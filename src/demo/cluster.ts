import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { distinctUntilChanged, firstValueFrom, map, type Observable, of, switchMap } from 'rxjs';
import { resumingWatch } from '../../streams/resuming-watch.ts';
import { targetObject, targetPath } from '../cluster/targets.ts';
import { startApiServer } from '../dev-cluster/api-server.ts';
import { startKubelet } from '../dev-cluster/kubelet.ts';
import { openKubeClient } from '../kube/client.ts';
import { watchObjects } from '../kube/watch-objects.ts';

/** The development cluster of the demo, without the processes of the replicas. */
export interface DemoCluster extends AsyncDisposable {
  /** Environment of a replica: address of the cluster, and names of this installation. */
  replicaEnv(name: string): Readonly<Record<string, string>>;
  /** PEM of the webhook configuration's current caBundle, empty while there is none. */
  readonly caBundle$: Observable<string>;
  rotate(what: 'leaf' | 'ca'): Promise<unknown>;
  /** Number of open watches of all clients. */
  openWatches(): number;
}

const TYPE = 'validatingwebhookconfiguration';

/** Starts API server and kubelets, and creates the objects that manifests would. */
export const startCluster = async (replicas: readonly string[], kubeletDelayMs: number): Promise<DemoCluster> => {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'webhook-certd-demo-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const server = opened.use(await startApiServer());
  // Laid out as a kubelet mounts it, so that replicas start as they do in a Pod.
  const account = join(folder, 'serviceaccount');
  await mkdir(account);
  await writeFile(join(account, 'token'), server.adminToken, { mode: 0o600 });
  await writeFile(join(account, 'ca.crt'), server.caPem);

  const inCluster = { host: '127.0.0.1', port: String(server.port), directory: account };
  const client = opened.use(await openKubeClient({ kubeconfig: null, inCluster, userAgent: 'webhook-certd-demo' }));
  for (const { path, body } of demoObjects(replicas)) await firstValueFrom(client.send({ method: 'POST', path, body }));

  const directoryOf = (name: string): string => join(folder, name, 'certs');
  const { namespace, name: installation, secret: secretName, lease, prefix, configuration } = demoNames;
  for (const podName of replicas) {
    const directory = directoryOf(podName);
    opened.use(await startKubelet({ server, namespace, podName, secretName, directory, delayMs: kubeletDelayMs }));
  }

  const watch = watchObjects(client, {
    path: targetPath(TYPE),
    query: { fieldSelector: `metadata.name=${configuration}` },
    parse: targetObject(TYPE, null),
    timeoutSeconds: () => 3600,
  });
  const everything = opened.move();
  return {
    caBundle$: resumingWatch(watch, { staleAfterMs: 150_000, random: () => Math.random() }).pipe(
      switchMap((item) => {
        if (item.type === 'watch/applied') return of(item.object);
        return item.type === 'watch/listed' ? of(...item.items) : [];
      }),
      map(({ fields }) => fields[0]?.pem ?? ''),
      distinctUntilChanged(),
    ),
    rotate: (what) =>
      firstValueFrom(
        client.send({
          method: 'PATCH',
          path: `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${lease}`,
          contentType: 'application/merge-patch+json',
          body: { metadata: { annotations: { [`${prefix}/rotate`]: what } } },
        }),
      ),
    openWatches: () => server.openWatches,
    replicaEnv: (name) => ({
      KUBERNETES_SERVICE_HOST: inCluster.host,
      KUBERNETES_SERVICE_PORT: inCluster.port,
      SERVICE_ACCOUNT_DIR: account,
      NAME: installation,
      POD_NAMESPACE: namespace,
      CERT_DIR: directoryOf(name),
      // Short, so that pruning is visible: the defaults are one hour and ten seconds.
      CA_OVERLAP: '3s',
      TRUST_SETTLE: '1s',
      WEBHOOK_HANDLER: 'builtin:allow',
      SHUTDOWN_GRACE: '1s',
    }),
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
};

/** The names of the demo's installation: those that NAME gives its objects. */
export const demoNames = {
  namespace: 'demo',
  name: 'demo-webhook',
  service: 'demo-webhook',
  secret: 'demo-webhook-cert',
  lease: 'demo-webhook',
  prefix: 'webhook-certd',
  configuration: 'demo-webhook.demo',
} as const;

/** Default of CERT_DIR. The replicas of the demo share one machine, so each has its own directory instead. */
const MOUNT = '/tmp/k8s-webhook-server/serving-certs';

/** The objects that manifests would create: a webhook configuration without caBundle, and one Pod per replica. */
const demoObjects = (replicas: readonly string[]): readonly { readonly path: string; readonly body: unknown }[] => [
  {
    path: '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
    body: {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: demoNames.configuration },
      webhooks: [
        {
          name: 'demo.webhook-certd.dev',
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          clientConfig: { service: { namespace: demoNames.namespace, name: demoNames.service, path: '/validate' } },
          rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
        },
      ],
    },
  },
  ...replicas.map((name) => ({
    path: `/api/v1/namespaces/${demoNames.namespace}/pods`,
    body: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: demoNames.namespace, labels: { 'app.kubernetes.io/name': demoNames.name } },
      spec: {
        nodeName: 'node',
        containers: [
          {
            name: 'webhook',
            image: 'webhook-certd',
            volumeMounts: [{ name: 'certs', mountPath: MOUNT, readOnly: true }],
          },
        ],
        volumes: [{ name: 'certs', secret: { secretName: demoNames.secret, optional: true } }],
      },
    },
  })),
];
