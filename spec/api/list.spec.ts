import { expect } from 'chai';
import type { RawAnswer } from '../support/raw-api.ts';
import { bodies } from './bodies.ts';
import { useApi } from './use-api.ts';

const namesOf = (list: RawAnswer) =>
  (list.at('items') as readonly { readonly metadata: { readonly name: string } }[]).map(
    ({ metadata }) => metadata.name,
  );

describe('api: list and get', () => {
  const api = useApi();

  before(async () => {
    await api.admin.post(api.leases, bodies.lease('b', {}, { labels: { app: 'web', tier: 'one' } }));
    await api.admin.post(api.leases, bodies.lease('a', {}, { labels: { app: 'web' } }));
    await api.admin.post(api.leases, bodies.lease('c', {}, { labels: { app: 'job' } }));
  });

  it('lists in the order of names, at a resourceVersion to watch from', async () => {
    const list = await api.admin.get(api.leases);
    expect(list.at('kind')).to.equal('LeaseList');
    expect(list.at('apiVersion')).to.equal('coordination.k8s.io/v1');
    expect(namesOf(list)).to.deep.equal(['a', 'b', 'c']);
    const versions = [0, 1, 2].map((index) => Number(list.at('items', index, 'metadata', 'resourceVersion')));
    expect(Number(list.at('metadata', 'resourceVersion'))).to.be.at.least(Math.max(...versions));
  });

  it('does not say the kind of each item', async () => {
    const list = await api.admin.get(api.leases);
    expect(list.at('items', 0)).not.to.have.any.keys('kind', 'apiVersion');
  });

  for (const [query, names] of [
    ['fieldSelector=metadata.name%3Db', ['b']],
    ['fieldSelector=metadata.name!%3Db', ['a', 'c']],
    ['fieldSelector=metadata.name%3Dnone', []],
    ['labelSelector=app%3Dweb', ['a', 'b']],
    ['labelSelector=app%3D%3Dweb,tier', ['b']],
    ['labelSelector=app!%3Dweb', ['c']],
    ['labelSelector=app in (job,other),!tier', ['c']],
    ['labelSelector=tier notin (one)', ['a', 'c']],
  ] as const) {
    it(`selects by ${decodeURIComponent(query)}`, async () => {
      expect(namesOf(await api.admin.get(`${api.leases}?${query}`))).to.deep.equal(names);
    });
  }

  it('refuses to select by a field it has no index for', async () => {
    const answer = await api.admin.get(`${api.leases}?fieldSelector=spec.holderIdentity%3Da`);
    expect(answer.status).to.equal(400);
    expect(answer.at('message')).to.equal(
      '"spec.holderIdentity" is not a known field selector: only "metadata.name", "metadata.namespace"',
    );
  });

  it('lists over all namespaces', async () => {
    expect(namesOf(await api.admin.get('/apis/coordination.k8s.io/v1/leases'))).to.include.members(['a', 'b', 'c']);
  });

  it('refuses a version that has not been yet', async () => {
    const answer = await api.admin.get(`${api.leases}?resourceVersion=99999999`);
    expect(answer.status).to.equal(504);
    expect(answer.at('message')).to.match(/^Timeout: Too large resource version: 99999999, current: \d+$/);
  });

  it('says not found as a Status', async () => {
    const answer = await api.admin.get(`${api.secrets}/none`);
    expect(answer.status).to.equal(404);
    expect(answer.at()).to.deep.equal({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'secrets "none" not found',
      reason: 'NotFound',
      details: { name: 'none', kind: 'secrets' },
      code: 404,
    });
  });

  it('knows no other resources, subresources, methods and paths', async () => {
    const statusOf = async (path: string) => (await api.admin.get(path)).status;
    expect(await statusOf(api.leases.replace('/leases', '/things'))).to.equal(404);
    expect(await statusOf(`${api.leases}/a/status`)).to.equal(404);
    expect(await statusOf('/apis/none.test/v1/things')).to.equal(404);
    expect((await api.admin.post(`${api.leases}/a`, bodies.lease('a'))).status).to.equal(405);
    expect((await api.admin.patch('merge', api.leases, {})).status).to.equal(405);
  });
});
