import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startKubelet } from '../../src/dev-cluster/kubelet.ts';
import type { ApiUnderTest } from '../support/api-under-test.ts';
import { startEmbeddedApi } from '../support/embedded-api.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** A Pod on an embedded cluster in which a program of a spec's own may run. */
export interface Place extends AsyncDisposable {
  readonly api: ApiUnderTest;
  /** An empty folder. */
  readonly folder: string;
  /** What the program finds in its environment. Its ports are free ones. */
  readonly env: Readonly<Record<string, string>>;
  readonly serverName: string;
  rotate(what: 'leaf' | 'ca'): Promise<void>;
}

const namespace = 'hooks';
const pod = 'embedder-0';
const lease = '/apis/coordination.k8s.io/v1/namespaces/hooks/leases/8377a775.my.company.com';

/** Makes namespace, Pod, mount and kubeconfig. Where certificates go beside the Secret is nobody's business here. */
export const openPlace = async (): Promise<Place> => {
  await using opened = new AsyncDisposableStack();
  const api = opened.use(await startEmbeddedApi());
  const folder = opened.use(await temporaryDirectory()).path;
  const [kubeconfig, directory] = [join(folder, 'kubeconfig'), join(folder, 'certs')];
  await writeFile(kubeconfig, api.adminKubeconfig());
  await api.createNamespace(namespace);
  const labels = { 'app.kubernetes.io/name': 'kubetemplater' };
  const spec = {
    nodeName: 'node',
    automountServiceAccountToken: false,
    containers: [{ name: 'webhook', image: 'none' }],
  };
  await api.admin.post(`/api/v1/namespaces/${namespace}/pods`, { metadata: { name: pod, labels }, spec });
  const secretName = 'kubetemplater-webhook-cert';
  opened.use(await startKubelet({ server: api, namespace, podName: pod, secretName, directory, delayMs: 50 }));
  const everything = opened.move();
  return {
    api,
    folder,
    serverName: `kubetemplater-webhook-service.${namespace}.svc`,
    env: {
      KUBECONFIG: kubeconfig,
      POD_NAMESPACE: namespace,
      POD_NAME: pod,
      CERT_DIR: directory,
      CA_BUNDLE_TARGETS: '',
      WEBHOOK_BIND_ADDRESS: '127.0.0.1:0',
      HEALTH_PROBE_BIND_ADDRESS: '127.0.0.1:0',
      METRICS_BIND_ADDRESS: '0',
      TICK_INTERVAL: '200ms',
      CA_OVERLAP: '0',
      TRUST_SETTLE: '0',
      SHUTDOWN_GRACE: '1s',
    },
    rotate: async (what) => {
      const body = { metadata: { annotations: { 'kubetemplater.io/rotate': what } } };
      const answer = await api.admin.patch('merge', lease, body);
      if (answer.status !== 200) throw new Error(answer.text);
    },
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
};
