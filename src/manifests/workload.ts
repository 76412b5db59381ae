import { inNamespace, type InstallationSpec, labelsOf, type Manifest, manifest, webhookPort } from './installation.ts';
import type { Comments, Json } from './yaml.ts';

const UNPRIVILEGED = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  readOnlyRootFilesystem: true,
};

/** The defaults of every container, so that applying it again changes nothing. */
const containerDefaults = (image: string): Readonly<Record<string, Json>> => {
  // Of an image with a digest, the tag does not matter.
  const tag = image.includes('@') ? 'any' : (/:([^/:]+)$/.exec(image)?.[1] ?? 'latest');
  return {
    image,
    imagePullPolicy: tag === 'latest' ? 'Always' : 'IfNotPresent',
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
  };
};

const fieldOfPod = (name: string, fieldPath: string): Json => ({
  name,
  valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } },
});

const probe = (path: string, rest: Readonly<Record<string, number>>): Json => ({
  httpGet: { path, port: 'probes', scheme: 'HTTP' },
  successThreshold: 1,
  ...rest,
});

const port = (name: string, containerPort: number): Json => ({ name, containerPort, protocol: 'TCP' });

const CERTIFICATES = 'serving-certs';

const daemon = (spec: InstallationSpec): Readonly<Record<string, Json>> => {
  const { config, image, variables, mode } = spec;
  return {
    name: 'webhook-certd',
    ...containerDefaults(image),
    env: [
      fieldOfPod('POD_NAME', 'metadata.name'),
      fieldOfPod('POD_NAMESPACE', 'metadata.namespace'),
      ...variables.map(([name, value]) => ({ name, value })),
    ],
    ports: [
      ...(mode === 'serving' ? [] : [port('webhook', webhookPort(spec))]),
      port('probes', config.probeBind.port),
      ...(config.metricsBind === null ? [] : [port('metrics', config.metricsBind.port)]),
    ],
    startupProbe:
      mode === 'serving'
        ? probe('/startupz', { periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 300 })
        : probe('/livez', { periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 60 }),
    livenessProbe: probe('/livez', { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 }),
    readinessProbe: probe('/readyz', { periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 3 }),
    resources: { requests: { cpu: '34m', memory: '128Mi' }, limits: { cpu: '2', memory: '256Mi' } },
    securityContext: UNPRIVILEGED,
    volumeMounts: [{ name: CERTIFICATES, mountPath: config.certDir, readOnly: true }],
  };
};

/** The server of the user's. Calls arrive for 5 s after a Pod is deleted, and each may take UPSTREAM_TIMEOUT. */
const app = (spec: InstallationSpec): readonly Readonly<Record<string, Json>>[] => {
  const { config, appImage, mode } = spec;
  if (mode === 'handler') return [];
  const { upstream } = config;
  const listen = upstream?.kind === 'http' ? new URL(upstream.url).host : null;
  return [
    {
      name: 'app',
      ...containerDefaults(appImage),
      ...(mode === 'upstream' && listen !== null ? { env: [{ name: 'LISTEN_ADDRESS', value: listen }] } : {}),
      ...(mode === 'serving' ? { ports: [port('webhook', webhookPort(spec))] } : {}),
      lifecycle: { preStop: { sleep: { seconds: 5 + Math.ceil(config.upstreamTimeoutMs / 1000) } } },
      resources: {},
      securityContext: UNPRIVILEGED,
      ...(mode === 'serving'
        ? { volumeMounts: [{ name: CERTIFICATES, mountPath: config.certDir, readOnly: true }] }
        : {}),
    },
  ];
};

const spread = (spec: InstallationSpec, topologyKey: string): Json => ({
  maxSkew: 1,
  topologyKey,
  whenUnsatisfiable: 'ScheduleAnyway',
  labelSelector: { matchLabels: labelsOf(spec) },
});

const TEMPLATE = '/spec/template/spec';

const deploymentComments = ({ variables, mode }: InstallationSpec): Comments => {
  const handler = variables.findIndex(([name, value]) => name === 'WEBHOOK_HANDLER' && value === 'builtin:allow');
  const targets = variables.findIndex(([name]) => name === 'CA_BUNDLE_TARGETS');
  // After POD_NAME and POD_NAMESPACE.
  const own = `${TEMPLATE}/${mode === 'serving' ? 'initContainers' : 'containers'}/0`;
  const env = (at: number): string => `${own}/env/${at + 2}`;
  return {
    '/spec/template/metadata/labels/app.kubernetes.io~1name': 'Matched by POD_SELECTOR.',
    [`${TEMPLATE}/terminationGracePeriodSeconds`]:
      'SHUTDOWN_GRACE, release of the Lease, and a margin. The daemon drains by itself, so there is no preStop hook.',
    [`${TEMPLATE}/securityContext/runAsUser`]: 'Any other non-root user works as well.',
    ...(handler < 0
      ? {}
      : { [env(handler)]: 'Admits every request. Replace it by your handler module, or print --mode upstream.' }),
    ...(targets < 0
      ? {}
      : { [env(targets)]: 'As derived from NAME, and right also where a kustomization sets the namespace.' }),
    [`${own}/resources`]: 'Twice the measured usage: see manifests/README.md.',
    [`${own}/volumeMounts/0`]: 'CERT_DIR. The whole volume: a subPath mount is never updated.',
    [`${TEMPLATE}/volumes/0/secret/secretName`]:
      'SECRET_NAME. Optional, because the first leader starts before it exists, and creates it.',
    ...(mode === 'upstream'
      ? {
          [`${TEMPLATE}/containers/1`]: 'Your webhook. The daemon is ready only while it can be reached.',
          [`${TEMPLATE}/containers/1/lifecycle`]:
            'The app outlives the front: new calls arrive for 5 s after the Pod is deleted, and each may take UPSTREAM_TIMEOUT.\n' +
            'Needs Kubernetes 1.30. Without it those calls are answered 503 with Retry-After: 0.',
        }
      : {}),
    ...(mode === 'serving'
      ? {
          [own]:
            'A native sidecar, for Kubernetes 1.29: it starts before the app, which needs tls.crt, and runs as long as it does.',
          [`${own}/startupProbe`]: 'The app is started once the certificate is mounted.',
          [`${TEMPLATE}/containers/0`]: 'Your webhook, which serves TLS with the mounted Secret.',
          [`${TEMPLATE}/containers/0/lifecycle`]:
            'New calls arrive for some seconds after the Pod is deleted. Needs Kubernetes 1.30.',
        }
      : {}),
  };
};

const deployment = (spec: InstallationSpec): Manifest => {
  const { name, config, replicas } = spec;
  return manifest(
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: inNamespace(spec, name),
      spec: {
        replicas,
        revisionHistoryLimit: 10,
        progressDeadlineSeconds: 600,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        selector: { matchLabels: labelsOf(spec) },
        template: {
          metadata: { labels: labelsOf(spec) },
          spec: {
            serviceAccountName: name,
            automountServiceAccountToken: true,
            enableServiceLinks: false,
            // For the signal to a process of the other container.
            ...(config.reload?.kind === 'signal' ? { shareProcessNamespace: true } : {}),
            dnsPolicy: 'ClusterFirst',
            restartPolicy: 'Always',
            schedulerName: 'default-scheduler',
            terminationGracePeriodSeconds: Math.ceil(config.shutdownGraceMs / 1000) + 15,
            securityContext: {
              runAsNonRoot: true,
              runAsUser: 65_532,
              runAsGroup: 65_532,
              seccompProfile: { type: 'RuntimeDefault' },
            },
            topologySpreadConstraints: [
              spread(spec, 'kubernetes.io/hostname'),
              spread(spec, 'topology.kubernetes.io/zone'),
            ],
            ...(spec.mode === 'serving'
              ? { initContainers: [{ ...daemon(spec), restartPolicy: 'Always' }], containers: app(spec) }
              : { containers: [daemon(spec), ...app(spec)] }),
            volumes: [
              { name: CERTIFICATES, secret: { secretName: config.secretName, optional: true, defaultMode: 420 } },
            ],
          },
        },
      },
    },
    deploymentComments(spec),
  );
};

const service = (spec: InstallationSpec): Manifest =>
  manifest({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: inNamespace(spec, spec.config.serviceName),
    spec: {
      type: 'ClusterIP',
      sessionAffinity: 'None',
      selector: labelsOf(spec),
      ports: [{ name: 'webhook', protocol: 'TCP', port: 443, targetPort: 'webhook' }],
    },
  });

const disruptionBudget = (spec: InstallationSpec): Manifest =>
  manifest({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: inNamespace(spec, spec.name),
    spec: { minAvailable: 1, selector: { matchLabels: labelsOf(spec) } },
  });

/** The replicas and their Service. A single replica has no disruption budget, which would keep its node from being drained. */
export const workload = (spec: InstallationSpec): readonly Manifest[] => [
  deployment(spec),
  service(spec),
  ...(spec.replicas > 1 ? [disruptionBudget(spec)] : []),
];
