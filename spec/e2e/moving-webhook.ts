import { readFileSync } from 'node:fs';
import { image } from './day.ts';
import type { Container, Manifest } from './rendered-manifests.ts';

/** The objects of a webhook that has its certificate from elsewhere, as docs/guides/moving-in.md names them. */
export interface OldInstallation {
  readonly namespace: string;
  /** Of Deployment and ServiceAccount, and the label of the Pods. */
  readonly name: string;
  readonly service: string;
  /** The webhook configuration. */
  readonly target: string;
  readonly port: number;
  /** What its server is told besides port and files. */
  readonly flags: readonly string[];
  /** The Secret with its certificate, and the keys of the pair. */
  readonly secret: string;
  readonly files: readonly [certificate: string, key: string];
}

const SCRIPT = 'foreign-server.ts';
const OLD_CERTS = '/etc/webhook/certs';
const LABEL = 'app.kubernetes.io/name';
/** Where webhook-certd is told to mount: CERT_DIR. */
const CERTS = '/tmp/k8s-webhook-server/serving-certs';

const configMap = (namespace: string): Manifest => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'foreign-server', namespace },
  data: { [SCRIPT]: readFileSync(new URL(`./${SCRIPT}`, import.meta.url), 'utf8') },
});

const server = (args: readonly string[], changed: Partial<Container>): Container => ({
  name: 'server',
  image,
  imagePullPolicy: 'IfNotPresent',
  env: [],
  command: ['node', `/server/${SCRIPT}`, ...args],
  ...changed,
});

const deployment = (
  { namespace, name }: OldInstallation,
  containers: readonly Container[],
  volumes: readonly unknown[],
  podFields: Readonly<Record<string, unknown>> = {},
): Manifest => {
  const labels = { [LABEL]: name };
  const script = { name: 'server', configMap: { name: 'foreign-server' } };
  const template = {
    metadata: { labels },
    spec: { ...podFields, serviceAccountName: name, containers: [...containers], volumes: [...volumes, script] },
  };
  const strategy = { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
  const spec = { replicas: 2, strategy, selector: { matchLabels: labels }, template };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace }, spec };
};

const scriptMount = { name: 'server', mountPath: '/server', readOnly: true };
const tlsPort = (port: number) => ({
  ports: [{ name: 'webhook', containerPort: port, protocol: 'TCP' }],
  readinessProbe: { tcpSocket: { port }, periodSeconds: 1 },
});

/** The Deployment with the old Secret. */
export const oldDeployment = (old: OldInstallation, flags = old.flags): Manifest => {
  const files = old.files.map((file) => `${OLD_CERTS}/${file}`);
  const volumeMounts = [{ name: 'certs', mountPath: OLD_CERTS, readOnly: true }, scriptMount];
  const container = server([String(old.port), ...files, ...flags], { ...tlsPort(old.port), volumeMounts });
  return deployment(old, [container], [{ name: 'certs', secret: { secretName: old.secret } }]);
};

/** The webhook configuration: the API server asks about every ConfigMap with a label, of any namespace. */
export const webhookConfiguration = ({ namespace, service, target }: OldInstallation, caBundle?: string): Manifest => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  metadata: { name: target },
  webhooks: [
    {
      name: 'orders.example.com',
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      failurePolicy: 'Fail',
      clientConfig: { service: { namespace, name: service, path: '/validate' }, ...(caBundle && { caBundle }) },
      rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
      objectSelector: { matchLabels: { 'webhook-certd/validate': 'true' } },
    },
  ],
});

/** Everything but the Deployment and the webhook configuration. */
export const surroundings = (old: OldInstallation): readonly Manifest[] => {
  const { namespace, name, service } = old;
  const ports = [{ name: 'https', port: 443, targetPort: 'webhook' }];
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } },
    configMap(namespace),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: service, namespace },
      spec: { selector: { [LABEL]: name }, ports },
    },
  ];
};

/**
 * The Deployment after step 3 of the guide, for a Kubernetes before 1.29: with the container and the volume of the printed one.
 *
 * @param env variables with which a spec need not wait for an hour
 */
export const newDeployment = (
  old: OldInstallation,
  printed: Manifest,
  env: Readonly<Record<string, string>>,
): Manifest => {
  const pod = printed.spec?.template?.spec;
  const isServing = pod?.initContainers !== undefined;
  const [daemon] = pod?.initContainers ?? pod?.containers ?? [];
  if (pod === undefined || daemon === undefined) throw new Error('the printed Deployment has no container');
  const container: Container = { ...daemon, image, imagePullPolicy: 'IfNotPresent' };
  delete container.restartPolicy;
  container.env.push(...Object.entries(env).map(([name, value]) => ({ name, value })));
  if (!isServing) {
    const upstream = container.env.find(({ name }) => name === 'UPSTREAM_URL')?.value ?? '';
    const plain = server([new URL(upstream).host], { volumeMounts: [scriptMount] });
    const { terminationGracePeriodSeconds } = pod;
    return deployment(old, [container, plain], pod.volumes, { terminationGracePeriodSeconds });
  }
  container.startupProbe = { ...container.startupProbe, httpGet: { path: '/livez', port: 'probes' } };
  const volumeMounts = [{ name: 'serving-certs', mountPath: CERTS, readOnly: true }, scriptMount];
  const files = ['tls.crt', 'tls.key'].map((file) => `${CERTS}/${file}`);
  const neighbour = server([String(old.port), ...files], { ...tlsPort(old.port), volumeMounts });
  return deployment(old, [container, neighbour], pod.volumes);
};
