import { apiVersion, type JsonObject } from './kube-object.ts';

/** One kind that the server serves, and how writes to it behave. Flags correspond to kube-apiserver's strategies. */
export interface ResourceType {
  readonly group: string;
  readonly version: string;
  /** The plural of the path. */
  readonly resource: string;
  readonly kind: string;
  readonly isNamespaced: boolean;
  /** False for reviews, which are answered and not stored. */
  readonly isStored: boolean;
  readonly hasStatus: boolean;
  /** Whether a PUT creates an absent object. */
  readonly createsOnPut: boolean;
  /** Whether a PUT without a resourceVersion overwrites the object unconditionally. */
  readonly mayOverwrite: boolean;
  /** Fields that a field selector may use, in addition to metadata.name and metadata.namespace. */
  readonly fieldLabels: readonly string[];
  /** Lists whose items have a key field; every other list is atomic. */
  readonly keyedLists: Readonly<Record<string, string>>;
  /** Parts that exist even in an empty object, and so have no owner. */
  readonly fixedParts: readonly string[];
}

const plain = {
  version: 'v1',
  isNamespaced: true,
  isStored: true,
  hasStatus: false,
  createsOnPut: false,
  mayOverwrite: false,
  fieldLabels: [],
  keyedLists: {},
  fixedParts: ['metadata', 'spec', 'status'],
} as const;

const webhooks = {
  ...plain,
  group: 'admissionregistration.k8s.io',
  isNamespaced: false,
  keyedLists: { webhooks: 'name' },
} as const;

/** Every kind that the server serves. */
export const resourceTypes: readonly ResourceType[] = [
  { ...plain, group: 'coordination.k8s.io', resource: 'leases', kind: 'Lease', createsOnPut: true },
  { ...plain, group: '', resource: 'secrets', kind: 'Secret', mayOverwrite: true, fieldLabels: ['type'] },
  {
    ...plain,
    group: '',
    resource: 'pods',
    kind: 'Pod',
    hasStatus: true,
    mayOverwrite: true,
    fieldLabels: ['spec.nodeName', 'status.phase', 'status.podIP'],
    keyedLists: {
      'spec.containers': 'name',
      'spec.initContainers': 'name',
      'spec.volumes': 'name',
      'status.conditions': 'type',
      'status.podIPs': 'ip',
    },
  },
  {
    ...plain,
    group: '',
    resource: 'events',
    kind: 'Event',
    createsOnPut: true,
    mayOverwrite: true,
    fieldLabels: ['involvedObject.kind', 'involvedObject.name', 'involvedObject.namespace', 'reason', 'type'],
    fixedParts: ['metadata', 'involvedObject', 'source'],
  },
  {
    ...plain,
    group: '',
    resource: 'namespaces',
    kind: 'Namespace',
    isNamespaced: false,
    hasStatus: true,
    mayOverwrite: true,
  },
  { ...plain, group: '', resource: 'services', kind: 'Service', hasStatus: true, mayOverwrite: true },
  { ...plain, group: '', resource: 'endpoints', kind: 'Endpoints', createsOnPut: true, mayOverwrite: true },
  { ...plain, group: 'discovery.k8s.io', resource: 'endpointslices', kind: 'EndpointSlice', mayOverwrite: true },
  { ...webhooks, resource: 'validatingwebhookconfigurations', kind: 'ValidatingWebhookConfiguration' },
  { ...webhooks, resource: 'mutatingwebhookconfigurations', kind: 'MutatingWebhookConfiguration' },
  {
    ...plain,
    group: 'apiextensions.k8s.io',
    resource: 'customresourcedefinitions',
    kind: 'CustomResourceDefinition',
    isNamespaced: false,
    hasStatus: true,
    fixedParts: ['metadata', 'spec', 'spec.names', 'status', 'status.acceptedNames'],
  },
  {
    ...plain,
    group: 'apiregistration.k8s.io',
    resource: 'apiservices',
    kind: 'APIService',
    isNamespaced: false,
    hasStatus: true,
  },
  {
    ...plain,
    group: 'authorization.k8s.io',
    resource: 'selfsubjectaccessreviews',
    kind: 'SelfSubjectAccessReview',
    isNamespaced: false,
    isStored: false,
  },
];

const groups = [...new Set(resourceTypes.map(({ group }) => group))].filter((group) => group !== '');

const verbs = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];

const group = (name: string): JsonObject => {
  const version = { groupVersion: `${name}/v1`, version: 'v1' };
  return { name, versions: [version], preferredVersion: version };
};

const resourceList = (groupVersion: string): JsonObject => ({
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion,
  resources: resourceTypes
    .filter((type) => apiVersion(type) === groupVersion)
    .flatMap(({ resource, kind, isNamespaced, isStored, hasStatus }) => [
      { name: resource, singularName: '', namespaced: isNamespaced, kind, verbs: isStored ? verbs : ['create'] },
      ...(hasStatus
        ? [
            {
              name: `${resource}/status`,
              singularName: '',
              namespaced: isNamespaced,
              kind,
              verbs: ['get', 'patch', 'update'],
            },
          ]
        : []),
    ]),
});

/** Discovery documents, which kubectl reads first, by path. A string is sent as text. */
export const discovery: ReadonlyMap<string, JsonObject | string> = new Map<string, JsonObject | string>([
  ['/healthz', 'ok'],
  ['/livez', 'ok'],
  ['/readyz', 'ok'],
  ['/version', { major: '1', minor: '20', gitVersion: 'v1.20.2+embedded' }],
  ['/api', { kind: 'APIVersions', versions: ['v1'] }],
  ['/apis', { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(group) }],
  ['/api/v1', resourceList('v1')],
  ...groups.map((name) => [`/apis/${name}/v1`, resourceList(`${name}/v1`)] as const),
]);
