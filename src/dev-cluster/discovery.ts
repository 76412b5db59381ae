import { apiVersion, type JsonObject } from './kube-object.ts';
import { resourceTypes } from './resource-types.ts';

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
