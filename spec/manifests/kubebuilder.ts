import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import type { Json } from '../support/raw-api.ts';
import { type Manifest, manifest, MANIFESTS } from './rendered.ts';

type Fields = Readonly<Record<string, Json>>;

export const PROJECT = 'guestbook';
const NAMESPACE = `${PROJECT}-system`;
const LABELS = { 'control-plane': 'controller-manager', 'app.kubernetes.io/name': PROJECT };
const CERTS = '/tmp/k8s-webhook-server/serving-certs';

const webhook = (kind: 'Validating' | 'Mutating'): Json => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: `${kind}WebhookConfiguration`,
  metadata: { name: `${kind.toLowerCase()}-webhook-configuration` },
  webhooks: [
    {
      name: `${kind === 'Mutating' ? 'm' : 'v'}book-v1.kb.io`,
      admissionReviewVersions: ['v1'],
      clientConfig: {
        service: { name: 'webhook-service', namespace: 'system', path: `/${kind.toLowerCase()}-v1-book` },
      },
      failurePolicy: 'Fail',
      rules: [{ apiGroups: ['books.example.com'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['books'] }],
      sideEffects: 'None',
    },
  ],
});

/**
 * `config/` of a kubebuilder project with webhooks, as `kubebuilder init` and `create webhook` lay it out, with
 * manager_webhook_patch.yaml in it and cert-manager left out; before kustomize has put prefix and namespace in.
 */
const stock = (): readonly Json[] => [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'system', labels: LABELS } },
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'controller-manager', namespace: 'system' } },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'webhook-service', namespace: 'system' },
    spec: { ports: [{ port: 443, protocol: 'TCP', targetPort: 9443 }], selector: LABELS },
  },
  webhook('Mutating'),
  webhook('Validating'),
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'controller-manager', namespace: 'system', labels: LABELS },
    spec: {
      replicas: 1,
      selector: { matchLabels: LABELS },
      template: {
        metadata: { labels: LABELS, annotations: { 'kubectl.kubernetes.io/default-container': 'manager' } },
        spec: {
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
          containers: [
            {
              name: 'manager',
              image: 'controller:latest',
              command: ['/manager'],
              args: [
                '--metrics-bind-address=:8443',
                '--leader-elect',
                '--health-probe-bind-address=:8081',
                `--webhook-cert-path=${CERTS}`,
              ],
              ports: [{ name: 'webhook-server', containerPort: 9443, protocol: 'TCP' }],
              securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
              volumeMounts: [{ name: 'webhook-certs', mountPath: CERTS, readOnly: true }],
            },
          ],
          volumes: [{ name: 'webhook-certs', secret: { secretName: 'webhook-server-cert' } }],
          serviceAccountName: 'controller-manager',
          terminationGracePeriodSeconds: 10,
        },
      },
    },
  },
];

const isFields = (value: Json | undefined): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const nameOf = (value: Json): Json | undefined => (isFields(value) ? value['name'] : undefined);

/** A strategic merge, as far as Pods need it: lists of named things are merged by name. */
const merged = (base: Json | undefined, patch: Json): Json => {
  if (Array.isArray(base) && Array.isArray(patch)) {
    const [items, own] = [base, patch] as [readonly Json[], readonly Json[]];
    const isNamed = [...items, ...own].every((item) => nameOf(item) !== undefined);
    if (!isNamed) return own;
    const kept = items.map((item) => {
      const change = own.find((one) => nameOf(one) === nameOf(item));
      return change === undefined ? item : merged(item, change);
    });
    return [...kept, ...own.filter((one) => !items.some((item) => nameOf(item) === nameOf(one)))];
  }
  if (!isFields(base) || !isFields(patch)) return patch;
  return Object.entries(patch).reduce<Fields>(
    (result, [key, value]) => ({ ...result, [key]: merged(result[key], value) }),
    base,
  );
};

const documents = (...path: readonly string[]): readonly Json[] =>
  // What the guide replaces with sed.
  loadAll(
    readFileSync(join(MANIFESTS, 'components', 'serving', ...path), 'utf8').replaceAll('PROJECT', PROJECT),
  ) as readonly Json[];

interface Component {
  readonly components?: readonly string[];
  readonly resources?: readonly string[];
  readonly patches?: readonly { readonly path: string }[];
}

/** `namePrefix` and `namespace`, and the references that kustomize keeps in step with them. */
const transformed = (json: Json): Json => {
  if (Array.isArray(json)) return (json as readonly Json[]).map(transformed);
  if (!isFields(json)) return json;
  const entries = Object.entries(json).map(([key, value]): readonly [string, Json] => {
    if (key === 'namespace' && value === 'system') return [key, NAMESPACE];
    if (key === 'serviceAccountName') return [key, `${PROJECT}-${value as string}`];
    return [key, transformed(value)];
  });
  const result = Object.fromEntries(entries);
  const isReference = 'kind' in result && typeof result['name'] === 'string';
  const isService = 'path' in result && result['name'] === 'webhook-service';
  return isReference || isService ? { ...result, name: `${PROJECT}-${result['name'] as string}` } : result;
};

const prefixed = (json: Json): Json => {
  const object = transformed(json) as Fields;
  const metadata = object['metadata'] as Fields;
  const name = `${PROJECT}-${metadata['name'] as string}`;
  return { ...object, metadata: { ...metadata, name } };
};

/**
 * What kustomize makes of `config/default` with the component `serving` in `components:`, in a project called guestbook.
 *
 * @param variant the folder of the component
 */
export const kubebuilderProject = (variant: 'native' | 'plain'): readonly Manifest[] => {
  const folder = variant === 'native' ? [] : ['plain'];
  const component = documents(...folder, 'kustomization.yaml')[0] as unknown as Component;
  const permissions = documents('permissions', 'kustomization.yaml')[0] as unknown as Component;
  const resources = (permissions.resources ?? []).flatMap((file) => documents('permissions', file));
  const patches = (component.patches ?? []).flatMap(({ path }) => documents(...folder, path)) as readonly Fields[];
  const patched = [...stock(), ...resources].map((object) =>
    patches
      .filter(({ kind, metadata }) => {
        const { kind: ownKind, metadata: own } = object as Fields;
        return kind === ownKind && nameOf(metadata ?? null) === nameOf(own ?? null);
      })
      .reduce<Json>(merged, object),
  );
  return patched.map(prefixed).map(manifest);
};
