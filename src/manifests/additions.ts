import {
  clusterName,
  inCluster,
  inNamespace,
  type InstallationSpec,
  labelsOf,
  type Manifest,
  manifest,
  webhookPort,
} from './installation.ts';
import type { Json } from './yaml.ts';

const ADMISSION = 'admissionregistration.k8s.io/v1';

const forbid = (expression: string, message: string): Json => ({ expression, message, reason: 'Forbidden' });

const mapOf = (name: string, object: string, field: string, empty: string): Json => {
  const path = `${object}.metadata.${field}`;
  return { name, expression: `has(${path}) ? ${path} : ${empty}` };
};

/**
 * Restricts a replica to the two annotations on its own Pod. The account is named within the namespace of the request, so that
 * a kustomization may set the namespace.
 */
export const policy = (spec: InstallationSpec): readonly Manifest[] => {
  const { annotationPrefix } = spec.config;
  const own = ['expected-hash', 'serving-hash'].map((name) => `'${annotationPrefix}/${name}'`).join(', ');
  return [
    manifest(
      {
        apiVersion: ADMISSION,
        kind: 'ValidatingAdmissionPolicy',
        metadata: inCluster(spec),
        spec: {
          failurePolicy: 'Fail',
          matchConstraints: {
            matchPolicy: 'Equivalent',
            namespaceSelector: {},
            objectSelector: {},
            resourceRules: [
              { apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['pods/status'], scope: '*' },
            ],
          },
          matchConditions: [
            {
              name: 'by-a-replica',
              expression: `request.userInfo.username == 'system:serviceaccount:' + request.namespace + ':${spec.name}'`,
            },
          ],
          variables: [
            { name: 'own', expression: `[${own}]` },
            mapOf('before', 'oldObject', 'annotations', '{}'),
            mapOf('after', 'object', 'annotations', '{}'),
            mapOf('labelsBefore', 'oldObject', 'labels', '{}'),
            mapOf('labelsAfter', 'object', 'labels', '{}'),
            mapOf('finalizersBefore', 'oldObject', 'finalizers', '[]'),
            mapOf('finalizersAfter', 'object', 'finalizers', '[]'),
          ],
          validations: [
            forbid(
              "has(request.userInfo.extra) && 'authentication.kubernetes.io/pod-name' in request.userInfo.extra && " +
                "request.userInfo.extra['authentication.kubernetes.io/pod-name'] == [request.name]",
              'a replica may write to its own Pod only',
            ),
            forbid('object.status == oldObject.status', 'a replica may not write the status'),
            forbid(
              'variables.labelsAfter == variables.labelsBefore && variables.finalizersAfter == variables.finalizersBefore',
              'a replica may not change labels or finalizers',
            ),
            forbid(
              'variables.after.all(key, key in variables.own || ' +
                '(key in variables.before && variables.after[key] == variables.before[key])) && ' +
                'variables.before.all(key, key in variables.own || key in variables.after)',
              'a replica may change the annotations expected-hash and serving-hash only',
            ),
            forbid(
              "variables.own.all(key, !(key in variables.after) || variables.after[key].matches('^[0-9a-f]{64}$'))",
              'the value must be a SHA-256 hash in lower-case hex',
            ),
          ],
        },
      },
      {
        '': 'For Kubernetes 1.30 and later. A patch of pods/status cannot change what a Pod runs, but it can change labels, conditions\nand the IP. This policy restricts a replica to the two annotations on its own Pod.',
        '/spec/matchConstraints':
          'Defaults included: this struct is atomic, so an omitted default is a conflict for another server-side apply.',
        '/spec/variables/0': 'ANNOTATION_PREFIX',
        '/spec/validations':
          'Forbidden, so that replicas get the 403 of a missing permission: they warn once and do without the annotations.',
        '/spec/validations/0': 'The token names the Pod it was issued for.',
      },
    ),
    manifest({
      apiVersion: ADMISSION,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: inCluster(spec),
      spec: { policyName: clusterName(spec), validationActions: ['Deny'] },
    }),
  ];
};

/** Lets the Pods be reached on the ports that they serve on, and on no other. */
export const networkPolicy = (spec: InstallationSpec): readonly Manifest[] => {
  const { probeBind, metricsBind } = spec.config;
  const ports = [webhookPort(spec), probeBind.port, ...(metricsBind === null ? [] : [metricsBind.port])];
  return [
    manifest(
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: inNamespace(spec, spec.name),
        spec: {
          podSelector: { matchLabels: labelsOf(spec) },
          policyTypes: ['Ingress'],
          ingress: [{ ports: ports.map((port) => ({ port, protocol: 'TCP' })) }],
        },
      },
      {
        '/spec/ingress/0':
          'From anywhere: the API server and the kubelet call from addresses that no selector matches.',
      },
    ),
  ];
};

const CERT_MANAGER = 'cert-manager.io';

/** cert-manager's objects where it issues: a CA of this installation, and the leaf that it signs. */
export const certManager = (spec: InstallationSpec): readonly Manifest[] => {
  const { name, config } = spec;
  // Not SECRET_NAME-ca, which is reserved for a CA that the daemon issues.
  const authority = { name: `${name}-ca`, secretName: `${name}-issuer` };
  const issuer = (issuerName: string, issuerSpec: Json): Manifest =>
    manifest({
      apiVersion: `${CERT_MANAGER}/v1`,
      kind: 'Issuer',
      metadata: inNamespace(spec, issuerName),
      spec: issuerSpec,
    });
  const certificate = (certificateName: string, certificateSpec: Readonly<Record<string, Json>>, signer: string) =>
    manifest(
      {
        apiVersion: `${CERT_MANAGER}/v1`,
        kind: 'Certificate',
        metadata: inNamespace(spec, certificateName),
        spec: {
          ...certificateSpec,
          privateKey: { algorithm: 'ECDSA', size: 256, rotationPolicy: 'Always' },
          issuerRef: { group: CERT_MANAGER, kind: 'Issuer', name: signer },
        },
      },
      certificateSpec['isCA'] === undefined
        ? {
            '/spec/secretName': config.sourceSecret === null ? 'SECRET_NAME' : 'SOURCE_SECRET, which no Pod mounts.',
            '/spec/dnsNames': 'The names that the daemon would put into its own leaf.',
          }
        : {},
    );
  return [
    issuer(`${name}-bootstrap`, { selfSigned: {} }),
    issuer(authority.name, { ca: { secretName: authority.secretName } }),
    certificate(
      authority.name,
      {
        isCA: true,
        commonName: authority.name,
        secretName: authority.secretName,
        duration: '87600h',
        renewBefore: '8760h',
      },
      `${name}-bootstrap`,
    ),
    certificate(
      name,
      {
        secretName: config.sourceSecret ?? config.secretName,
        dnsNames: config.serviceNames,
        duration: '2160h',
        renewBefore: '720h',
        usages: ['digital signature', 'server auth'],
      },
      authority.name,
    ),
  ];
};
