/** The names of the demo's installation. */
export const demoNames = {
  namespace: 'demo',
  service: 'demo-webhook',
  secret: 'demo-webhook-cert',
  lease: 'demo-webhook',
  prefix: 'webhook-certd.dev',
  configuration: 'demo-webhook',
  app: 'demo-webhook',
} as const;

/** CERT_DIR's default; the demo's replicas have their directories elsewhere, since they share one machine. */
const MOUNT = '/tmp/k8s-webhook-server/serving-certs';

/** What a manifest would apply: a webhook configuration without a caBundle, and one Pod a replica. */
export const demoObjects = (
  replicas: readonly string[],
): readonly { readonly path: string; readonly body: unknown }[] => [
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
      metadata: { name, namespace: demoNames.namespace, labels: { app: demoNames.app } },
      spec: {
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
