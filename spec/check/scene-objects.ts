import type { IssuedPair } from '../../src/certificates/issue.ts';
import type { MountedPair } from '../support/pki.ts';
import type { Json } from '../support/raw-api.ts';

const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64');

export const LABELS = { 'app.kubernetes.io/name': 'kubetemplater' } as const;
/** Nowhere on this machine. */
export const CERT_DIR = '/certs/of/the/scene';

export type Body = Readonly<Record<string, Json>>;

/** What a working installation consists of, as bodies to be posted. */
export const sceneObjects = {
  secret: (name: string, { certificate, key, trust }: MountedPair): Body => ({
    metadata: { name },
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': base64(certificate), 'tls.key': base64(key), 'ca.crt': base64(trust) },
  }),

  authority: (name: string, { certificatePem, keyPem }: IssuedPair): Body => ({
    metadata: { name },
    type: 'Opaque',
    data: { 'ca.crt': base64(certificatePem), 'ca.key': base64(keyPem), 'ca-bundle.crt': base64(certificatePem) },
  }),

  lease: (name: string, holder: string, annotations: Readonly<Record<string, string>>): Body => ({
    metadata: { name, annotations },
    spec: { holderIdentity: holder, leaseDurationSeconds: 4, leaseTransitions: 1 },
  }),

  /** The Pod template, whole. */
  template: (secretName: string): Body => ({
    metadata: { labels: LABELS },
    spec: {
      automountServiceAccountToken: false,
      containers: [
        {
          name: 'webhook',
          image: 'none',
          ports: [{ containerPort: 9443 }],
          volumeMounts: [{ name: 'certs', mountPath: CERT_DIR, readOnly: true }],
        },
      ],
      volumes: [{ name: 'certs', secret: { secretName, optional: true } }],
    },
  }),

  /** A Pod as the Deployment `webhook` would have made it. */
  pod: (name: string, template: Json, annotations: Readonly<Record<string, string>>): Body => ({
    metadata: {
      name,
      annotations,
      labels: { ...LABELS, 'pod-template-hash': 'abc' },
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'webhook-abc', uid: 'any', controller: true },
      ],
    },
    spec: { nodeName: 'node', ...(template as { readonly spec: Readonly<Record<string, Json>> }).spec },
  }),

  deployment: (template: Json): Body => ({
    metadata: { name: 'webhook', labels: LABELS },
    spec: { replicas: 1, selector: { matchLabels: LABELS }, template },
  }),

  service: (name: string, targetPort: number): Body => ({
    metadata: { name, labels: LABELS },
    spec: { selector: LABELS, ports: [{ name: 'webhook', port: 443, targetPort }] },
  }),

  target: (name: string, service: Readonly<Record<string, string>>, caBundle: string | Buffer): Body => ({
    metadata: { name },
    webhooks: [
      {
        name: 'first.webhook-certd.dev',
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        failurePolicy: 'Fail',
        clientConfig: {
          service: { ...service, path: '/validate' },
          caBundle: base64(caBundle),
        },
        rules: [
          {
            apiGroups: ['spec.webhook-certd.dev'],
            apiVersions: ['v1'],
            operations: ['CREATE'],
            resources: ['nothings'],
          },
        ],
      },
    ],
  }),
} as const;
