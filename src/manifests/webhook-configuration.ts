import { clusterName, inCluster, inNamespace, type InstallationSpec, type Manifest, manifest } from './installation.ts';
import type { Json } from './yaml.ts';

/** The label of a namespace that no webhook of these installations is called for. */
const ignoreLabel = ({ config }: InstallationSpec): string => `${config.annotationPrefix}/webhook`;

/** The namespace, which the webhook is not called for. */
export const namespace = (spec: InstallationSpec): Manifest => {
  const { name, labels } = inNamespace(spec, spec.config.namespace);
  const label = ignoreLabel(spec);
  return manifest(
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: { ...labels, [label]: 'ignore', 'pod-security.kubernetes.io/enforce': 'restricted' } },
    },
    {
      [`/metadata/labels/${label.replaceAll('/', '~1')}`]:
        "Excluded by the webhook's namespaceSelector, so that the webhook cannot block its own repair.",
    },
  );
};

/** The example: ConfigMaps with a label. */
const example = ({ name }: InstallationSpec): Readonly<Record<string, Json>> => ({
  objectSelector: { matchLabels: { [`${name}/validate`]: 'true' } },
  rules: [
    {
      apiGroups: [''],
      apiVersions: ['v1'],
      operations: ['CREATE', 'UPDATE'],
      resources: ['configmaps'],
      scope: 'Namespaced',
    },
  ],
});

/** The ValidatingWebhookConfiguration, with every default of the API server, so that applying it again changes nothing. */
export const webhookConfiguration = (spec: InstallationSpec): Manifest => {
  const { config, webhook } = spec;
  return manifest(
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: inCluster(spec),
      webhooks: [
        {
          name: `validate.${clusterName(spec)}`,
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          failurePolicy: 'Fail',
          matchPolicy: 'Equivalent',
          timeoutSeconds: 10,
          clientConfig: {
            service: { name: config.serviceName, namespace: config.namespace, path: '/validate', port: 443 },
          },
          namespaceSelector: {
            matchExpressions: [
              { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: [config.namespace] },
              { key: ignoreLabel(spec), operator: 'NotIn', values: ['ignore'] },
            ],
          },
          ...example(spec),
          ...webhook,
        },
      ],
    },
    {
      '/webhooks/0': 'No caBundle: the daemon owns the field, and applying this again leaves it unchanged.',
      '/webhooks/0/namespaceSelector/matchExpressions/0': 'The API server sets this label since Kubernetes 1.21.',
      ...(webhook?.['objectSelector'] === undefined
        ? {
            '/webhooks/0/objectSelector':
              'An example that matches labelled objects only: put your own selector and rules here.',
          }
        : {}),
    },
  );
};
