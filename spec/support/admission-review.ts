import type { HandlerLog } from '../../src/webhook/admission-types.ts';

const nothing = () => undefined;
export const quietLog: HandlerLog = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** An AdmissionReview as kube-apiserver writes it, with the request's fields overridden. */
export const reviewText = (request: Readonly<Record<string, unknown>> = {}, version = 'v1'): string =>
  JSON.stringify({
    kind: 'AdmissionReview',
    apiVersion: `admission.k8s.io/${version}`,
    request: {
      uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
      kind: { group: '', version: 'v1', kind: 'ConfigMap' },
      resource: { group: '', version: 'v1', resource: 'configmaps' },
      requestKind: { group: '', version: 'v1', kind: 'ConfigMap' },
      requestResource: { group: '', version: 'v1', resource: 'configmaps' },
      name: 'one',
      namespace: 'default',
      operation: 'CREATE',
      userInfo: { username: 'admin', groups: ['system:masters'], extra: { scopes: ['a'] } },
      object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one' }, data: { key: 'value' } },
      oldObject: null,
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
      ...request,
    },
  });
