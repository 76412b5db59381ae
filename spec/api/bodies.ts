import type { Json } from '../support/raw-api.ts';

type Words = Readonly<Record<string, Json>>;

/** The least of an object of each kind that kube-apiserver takes. */
export const bodies = {
  lease: (name: string, spec: Words = { holderIdentity: 'a' }, metadata: Words = {}): Json => ({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name, ...metadata },
    spec,
  }),
  secret: (name: string, content: Words): Json => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name },
    ...content,
  }),
  pod: (name: string, spec: Words = {}, metadata: Words = {}): Json => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, ...metadata },
    spec: { containers: [{ name: 'main', image: 'one' }], ...spec },
  }),
  /** Matches nothing that any spec creates. */
  webhooks: (kind: 'Validating' | 'Mutating', name: string, webhookNames: readonly string[]): Json => ({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: `${kind}WebhookConfiguration`,
    metadata: { name },
    webhooks: webhookNames.map((webhook) => ({
      name: webhook,
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
      clientConfig: { service: { namespace: 'nowhere', name: 'nobody' } },
      rules: [{ apiGroups: ['none.test'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['things'] }],
    })),
  }),
  crd: (plural: string): Json => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.spec.test` },
    spec: {
      group: 'spec.test',
      scope: 'Namespaced',
      names: {
        plural,
        singular: plural.slice(0, -1),
        kind: plural.toUpperCase(),
        listKind: `${plural.toUpperCase()}List`,
      },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
      conversion: {
        strategy: 'Webhook',
        webhook: {
          conversionReviewVersions: ['v1'],
          clientConfig: { service: { namespace: 'nowhere', name: 'nobody' } },
        },
      },
    },
  }),
  apiService: (group: string): Json => ({
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: `v1.${group}` },
    spec: {
      group,
      version: 'v1',
      groupPriorityMinimum: 100,
      versionPriority: 10,
      service: { namespace: 'default', name: 'nobody' },
    },
  }),
};
