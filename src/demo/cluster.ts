import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { distinctUntilChanged, firstValueFrom, map, of, switchMap } from 'rxjs';
import type { Observable } from 'rxjs';
import { resumingWatch } from '../../streams/resuming-watch.ts';
import { startApiServer } from '../embedded/api-server.ts';
import { startKubelet } from '../embedded/kubelet.ts';
import { openKubeClient } from '../kube/client.ts';
import { targetObject, targetPath } from '../kube/target-object.ts';
import { watchObjects } from '../kube/watch-objects.ts';
import { demoNames, demoObjects } from './demo-objects.ts';

/** The embedded cluster with everything in it but the replicas' processes. */
export interface DemoCluster extends AsyncDisposable {
  /** Environment of a replica: how to reach the cluster, and the names of this installation. */
  replicaEnv(name: string): Readonly<Record<string, string>>;
  /** PEM of the webhook configuration's caBundle as it stands, empty while there is none. */
  readonly caBundle$: Observable<string>;
  rotate(what: 'leaf' | 'ca'): Promise<unknown>;
  /** Watches that are open at the API server, its clients' all together. */
  openWatches(): number;
}

const TYPE = 'validatingwebhookconfiguration';

/** Starts API server and kubelets, and applies what a manifest would. */
export const startCluster = async (replicas: readonly string[], kubeletDelayMs: number): Promise<DemoCluster> => {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'webhook-certd-demo-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const server = opened.use(await startApiServer());
  // As a kubelet mounts it: a replica of the demo starts as one in a Pod does.
  const account = join(folder, 'serviceaccount');
  await mkdir(account);
  await writeFile(join(account, 'token'), server.adminToken, { mode: 0o600 });
  await writeFile(join(account, 'ca.crt'), server.caPem);

  const inCluster = { host: '127.0.0.1', port: String(server.port), directory: account };
  const client = opened.use(await openKubeClient({ kubeconfig: null, inCluster, userAgent: 'webhook-certd-demo' }));
  for (const { path, body } of demoObjects(replicas)) await firstValueFrom(client.send({ method: 'POST', path, body }));

  const directoryOf = (name: string): string => join(folder, name, 'certs');
  const { namespace, secret: secretName, lease, prefix, service, app, configuration } = demoNames;
  for (const podName of replicas) {
    const directory = directoryOf(podName);
    opened.use(await startKubelet({ server, namespace, podName, secretName, directory, delayMs: kubeletDelayMs }));
  }

  const watch = watchObjects(client, {
    path: targetPath(TYPE),
    query: { fieldSelector: `metadata.name=${configuration}` },
    parse: targetObject(TYPE, ''),
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
      POD_NAMESPACE: namespace,
      POD_SELECTOR: `app=${app}`,
      LEASE_NAME: lease,
      ANNOTATION_PREFIX: prefix,
      SECRET_NAME: secretName,
      SERVICE_NAME: service,
      CA_BUNDLE_TARGETS: `${TYPE}/${configuration}`,
      CERT_DIR: directoryOf(name),
      // So short only to be seen: an hour is the default.
      CA_OVERLAP: '3s',
      WEBHOOK_HANDLER: 'builtin:allow',
      SHUTDOWN_GRACE: '1s',
    }),
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
};
