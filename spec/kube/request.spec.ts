import { expect } from 'chai';
import { type KubeRequest, requestSubject } from '../../src/kube/request.ts';

const subject = (method: KubeRequest['method'], path: string, query?: Record<string, string>): string[] => {
  const { verb, resource, text } = requestSubject({ method, path, ...(query === undefined ? {} : { query }) });
  return [verb, resource, text];
};

describe('requestSubject', () => {
  it('speaks of a request as RBAC does', () => {
    const webhooks = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
    const long = 'validatingwebhookconfigurations.admissionregistration.k8s.io';
    expect(subject('GET', '/api/v1/namespaces/ns/pods')).to.deep.equal(['list', 'pods', 'list pods in namespace "ns"']);
    expect(subject('GET', webhooks, { watch: 'true' })[2]).to.equal(`watch ${long}`);
    expect(subject('PATCH', `${webhooks}/a%2Fb`)[2]).to.equal(`patch ${long} "a/b"`);
    expect(subject('PATCH', '/api/v1/namespaces/ns/pods/p/status')).to.deep.equal([
      'patch',
      'pods/status',
      'patch pods/status "p" in namespace "ns"',
    ]);
    expect(subject('GET', webhooks, { watch: '1' })[0]).to.equal('watch');
    expect(subject('GET', '/apis/apps/v1/namespaces/ns/deployments/d/scale')).to.deep.equal([
      'get',
      'deployments/scale',
      'get deployments.apps/scale "d" in namespace "ns"',
    ]);
    expect(subject('GET', '/api/v1/nodes/n/status')[2]).to.equal('get nodes/status "n"');
    expect(subject('GET', '/api/v1/namespaces/ns')[2]).to.equal('get namespaces "ns"');
    expect(subject('POST', '/api/v1/namespaces/ns/events')[0]).to.equal('create');
    expect(subject('PUT', '/api/v1/nodes/n')[0]).to.equal('update');
    expect(subject('DELETE', '/api/v1/nodes/n')[0]).to.equal('delete');
  });

  it('speaks of anything else by its path', () => {
    expect(subject('GET', '/readyz')).to.deep.equal(['get', '/readyz', 'GET /readyz']);
    expect(subject('GET', '/openapi/v3/apis/apps')[2]).to.equal('GET /openapi/v3/apis/apps');
    expect(subject('GET', '/api/v1/pods/%zz')[2]).to.equal('get pods "%zz"');
  });
});
