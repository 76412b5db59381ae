import { expect } from 'chai';
import { kubebuilderProject, PROJECT } from '../manifests/kubebuilder.ts';
import { type RealApi, startRealApi } from '../support/real-api.ts';

const NAMESPACE = `${PROJECT}-system`;
const GROUPS = { Deployment: 'apps/v1', Service: 'v1', ServiceAccount: 'v1', Namespace: 'v1' } as const;

describe('a kubebuilder project with the component serving', function () {
  this.timeout(120_000);
  let api: RealApi;
  before(async () => {
    api = await startRealApi();
  });
  after(() => api[Symbol.asyncDispose]());

  it('is accepted by the API server, and again by a server-side apply of another manager', async () => {
    const objects = kubebuilderProject('plain');
    const collectionOf = (kind: string, version: string, namespaced: boolean): string => {
      const base = version === 'v1' ? '/api/v1' : `/apis/${version}`;
      return `${base}${namespaced ? `/namespaces/${NAMESPACE}` : ''}/${kind.toLowerCase()}s`;
    };
    for (const object of objects) {
      const version = object.at('apiVersion') as string;
      if (object.kind in GROUPS) expect(version).to.equal(GROUPS[object.kind as keyof typeof GROUPS]);
      const collection = collectionOf(object.kind, version, object.at('metadata', 'namespace') !== undefined);
      const created = await api.admin.post(collection, object.json);
      expect(created.status, created.text).to.equal(201);
      const path = `${collection}/${object.name}?fieldManager=other&force=true`;
      const applied = await api.admin.patch('apply', path, object.json);
      expect(applied.status, applied.text).to.equal(200);
    }
    const path = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/${PROJECT}-controller-manager`;
    const deployment = await api.admin.get(path);
    const spec = ['spec', 'template', 'spec'] as const;
    expect(deployment.at(...spec, 'containers', 1, 'env')).to.deep.include({
      name: 'SERVING_ADDRESS',
      value: '127.0.0.1:9443',
    });
    expect(deployment.at(...spec, 'volumes', 0, 'secret', 'optional')).to.equal(true);
  });
});
