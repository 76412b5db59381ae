import { expect } from 'chai';
import { bodies } from './bodies.ts';
import { useApi } from './use-api.ts';

describe('api: pods/status', () => {
  const api = useApi();
  const pod = (name: string) => `${api.pods}/${name}`;

  it('starts a Pod as Pending, whatever the client says', async () => {
    const body = bodies.pod('young');
    const created = await api.admin.post(api.pods, { ...(body as object), status: { phase: 'Running' } });
    expect(created.status).to.equal(201);
    expect(created.at('status', 'phase')).to.equal('Pending');
  });

  it('changes annotations, labels and status, and never the spec', async () => {
    await api.admin.post(api.pods, bodies.pod('patched', {}, { labels: { app: 'web' } }));
    const answer = await api.admin.patch('merge', `${pod('patched')}/status`, {
      metadata: { annotations: { a: 'b' }, labels: { tier: 'one' } },
      spec: { containers: [{ name: 'main', image: 'two' }] },
      status: { phase: 'Running' },
    });
    expect(answer.status).to.equal(200);
    expect(answer.at('metadata', 'annotations')).to.deep.equal({ a: 'b' });
    expect(answer.at('metadata', 'labels')).to.deep.equal({ app: 'web', tier: 'one' });
    expect(answer.at('status', 'phase')).to.equal('Running');
    expect(answer.at('spec', 'containers', 0, 'image')).to.equal('one');
    expect((await api.admin.get(`${pod('patched')}/status`)).at()).to.deep.equal(answer.at());
  });

  it('is the only way to a status', async () => {
    await api.admin.post(api.pods, bodies.pod('main'));
    const answer = await api.admin.patch('merge', pod('main'), {
      metadata: { annotations: { a: 'b' } },
      spec: { containers: [{ name: 'main', image: 'two' }] },
      status: { phase: 'Running' },
    });
    expect(answer.status).to.equal(200);
    expect(answer.at('status', 'phase')).to.equal('Pending');
    expect(answer.at('spec', 'containers', 0, 'image')).to.equal('two');
  });

  it('refuses changes of a spec but for images', async () => {
    await api.admin.post(api.pods, bodies.pod('fixed'));
    const answer = await api.admin.patch('merge', pod('fixed'), { spec: { nodeName: 'node' } });
    expect(answer.status).to.equal(422);
    expect(answer.at('message')).to.match(/^Pod "fixed" is invalid: spec: Forbidden: pod updates may not change/);
  });

  it('refuses a stale resourceVersion there too', async () => {
    await api.admin.post(api.pods, bodies.pod('stale'));
    const body = { metadata: { resourceVersion: '1', annotations: { a: 'b' } } };
    expect((await api.admin.patch('merge', `${pod('stale')}/status`, body)).status).to.equal(409);
  });

  it('keeps the resourceVersion when nothing changes', async () => {
    await api.admin.post(api.pods, bodies.pod('idle'));
    const annotations = { metadata: { annotations: { a: 'b' } } };
    const first = await api.admin.patch('merge', `${pod('idle')}/status`, annotations);
    const second = await api.admin.patch('merge', `${pod('idle')}/status`, annotations);
    expect(second.at()).to.deep.equal(first.at());
  });

  it('finds no status of a Pod that is not there', async () => {
    expect((await api.admin.patch('merge', `${pod('none')}/status`, {})).status).to.equal(404);
  });
});
