export interface ClusterRule {
  readonly group: string;
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** What `check --cluster` reads. Reads of single objects, since Services and Secrets are known by name. */
const RULES: readonly ClusterRule[] = [
  {
    group: 'admissionregistration.k8s.io',
    resources: ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'],
    verbs: ['list'],
  },
  { group: 'apiextensions.k8s.io', resources: ['customresourcedefinitions'], verbs: ['list'] },
  { group: 'apiregistration.k8s.io', resources: ['apiservices'], verbs: ['list'] },
  { group: 'discovery.k8s.io', resources: ['endpointslices'], verbs: ['list'] },
  { group: '', resources: ['namespaces', 'services'], verbs: ['get'] },
  { group: '', resources: ['pods'], verbs: ['list'] },
];

/** `create` since Kubernetes 1.35, `get` before. */
const PORT_FORWARD: ClusterRule = { group: '', resources: ['pods/portforward'], verbs: ['create', 'get'] };
const SECRETS: ClusterRule = { group: '', resources: ['secrets'], verbs: ['get'] };

interface Scope {
  readonly portForward: boolean;
  readonly secrets: boolean;
}

/** The permissions that these options need, and no more. */
export const clusterRules = ({ portForward, secrets }: Scope): readonly ClusterRule[] => [
  ...RULES,
  ...(portForward ? [PORT_FORWARD] : []),
  ...(secrets ? [SECRETS] : []),
];

/** The least ClusterRole for these options, as YAML. */
export const clusterRole = (scope: Scope): string => {
  const list = (words: readonly string[]): string => `[${words.map((word) => (word === '' ? "''" : word)).join(', ')}]`;
  return [
    'apiVersion: rbac.authorization.k8s.io/v1',
    'kind: ClusterRole',
    'metadata:',
    '  name: webhook-certd-cluster-check',
    'rules:',
    ...clusterRules(scope).flatMap(({ group, resources, verbs }) => [
      `  - apiGroups: ${list([group])}`,
      `    resources: ${list(resources)}`,
      `    verbs: ${list(verbs)}`,
    ]),
  ].join('\n');
};

export type Dial = 'auto' | 'direct' | 'port-forward';

/** Whether endpoints are reached through the API server: with a kubeconfig, unless it is told otherwise. */
export const throughApiServer = (dial: Dial, kubeconfig: string | null): boolean =>
  dial === 'port-forward' || (dial === 'auto' && kubeconfig !== null);
