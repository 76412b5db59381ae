import { expect } from 'chai';
import { bodies } from './bodies.ts';
import { useApi } from './use-api.ts';

describe('api: delete', () => {
  const api = useApi();

  it('answers with a Status that names what is gone', async () => {
    const created = await api.admin.post(api.leases, bodies.lease('gone'));
    const answer = await api.admin.delete(`${api.leases}/gone`);
    expect(answer.status).to.equal(200);
    expect(answer.at()).to.deep.equal({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: {
        name: 'gone',
        group: 'coordination.k8s.io',
        kind: 'leases',
        uid: created.at('metadata', 'uid'),
      },
    });
    expect((await api.admin.get(`${api.leases}/gone`)).status).to.equal(404);
    expect((await api.admin.delete(`${api.leases}/gone`)).status).to.equal(404);
  });

  for (const [law, preconditions] of [
    ['uid', { uid: 'another' }],
    ['resourceVersion', { resourceVersion: '1' }],
  ] as const) {
    it(`keeps an object whose ${law} is not the one asked for`, async () => {
      await api.admin.post(api.leases, bodies.lease('kept'));
      const answer = await api.admin.delete(`${api.leases}/kept`, { preconditions });
      expect(answer.status).to.equal(409);
      expect(answer.at('reason')).to.equal('Conflict');
      expect(answer.at('message')).to.match(/in the precondition \(\w+\) does not match/);
      expect((await api.admin.get(`${api.leases}/kept`)).status).to.equal(200);
    });
  }

  it('deletes a Pod without a node at once', async () => {
    await api.admin.post(api.pods, bodies.pod('homeless'));
    expect((await api.admin.delete(`${api.pods}/homeless`)).at('kind')).to.equal('Pod');
    expect((await api.admin.get(`${api.pods}/homeless`)).status).to.equal(404);
  });

  it('leaves a Pod on a node to its kubelet for the grace period', async () => {
    await api.admin.post(api.pods, bodies.pod('settled', { nodeName: 'node' }));
    const askedMs = Date.now();
    const marked = await api.admin.delete(`${api.pods}/settled`);
    expect(marked.at('metadata', 'deletionGracePeriodSeconds')).to.equal(30);
    const dueMs = Date.parse(marked.at('metadata', 'deletionTimestamp') as string);
    // It has no fractions of a second.
    expect(dueMs).to.be.within(askedMs + 29_000, Date.now() + 30_000);
    expect((await api.admin.get(`${api.pods}/settled`)).status).to.equal(200);
    await api.admin.delete(`${api.pods}/settled`, { gracePeriodSeconds: 0 });
    expect((await api.admin.get(`${api.pods}/settled`)).status).to.equal(404);
  });

  it('only pretends in a dry run', async () => {
    await api.admin.post(api.leases, bodies.lease('dry'));
    expect((await api.admin.delete(`${api.leases}/dry?dryRun=All`)).status).to.equal(200);
    expect((await api.admin.get(`${api.leases}/dry`)).status).to.equal(200);
  });
});
