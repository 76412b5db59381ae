import type { KubeRequest } from '../kube/kube-request.ts';
import type { Denial } from './ask-access.ts';

/** The request that a denial is about, in a form that changes nothing even if it is let through after all. */
export const forbiddenRequest = ({ permission, verb, name }: Denial): KubeRequest => {
  const { apiGroup, resource, namespace } = permission;
  const [plural = '', subresource] = resource.split('/');
  const root = apiGroup === '' ? '/api/v1' : `/apis/${apiGroup}/v1`;
  const collection = `${root}${namespace === null ? '' : `/namespaces/${encodeURIComponent(namespace)}`}/${plural}`;
  const item = `${collection}/${encodeURIComponent(name ?? 'none')}${subresource === undefined ? '' : `/${subresource}`}`;
  const selected: Record<string, string> = name === null ? {} : { fieldSelector: `metadata.name=${name}` };
  switch (verb) {
    case 'list':
      return { method: 'GET', path: collection, query: { ...selected, limit: '1' } };
    case 'watch':
      return { method: 'GET', path: collection, query: { ...selected, watch: 'true', timeoutSeconds: '1' } };
    case 'create':
      return { method: 'POST', path: collection, query: { dryRun: 'All' }, body: {} };
    case 'patch':
      return {
        method: 'PATCH',
        path: item,
        query: { dryRun: 'All' },
        contentType: 'application/merge-patch+json',
        body: {},
      };
    default:
      return { method: 'GET', path: item };
  }
};
