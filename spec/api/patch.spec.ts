import { expect } from 'chai';
import { bodies } from './bodies.ts';
import { useApi } from './use-api.ts';

describe('api: patch', () => {
  const api = useApi();
  const lease = (name: string) => `${api.leases}/${name}`;

  const create = async (name: string, annotations = {}) =>
    api.admin.post(api.leases, bodies.lease(name, { holderIdentity: 'a' }, { annotations }));

  it('merges maps, and deletes with null', async () => {
    await create('merged', { keep: '1', drop: '2' });
    const answer = await api.admin.patch('merge', lease('merged'), {
      metadata: { annotations: { drop: null, add: '3' } },
      spec: { leaseTransitions: 4 },
    });
    expect(answer.status).to.equal(200);
    expect(answer.at('metadata', 'annotations')).to.deep.equal({ keep: '1', add: '3' });
    expect(answer.at('spec')).to.deep.equal({ holderIdentity: 'a', leaseTransitions: 4 });
  });

  it('takes away an annotations map with its last key', async () => {
    await create('bare', { only: '1' });
    const answer = await api.admin.patch('merge', lease('bare'), { metadata: { annotations: { only: null } } });
    expect(answer.at('metadata')).not.to.have.property('annotations');
  });

  for (const [kind, body] of [
    ['merge', { metadata: { annotations: { keep: '1' } } }],
    ['json', [{ op: 'add', path: '/metadata/annotations/keep', value: '1' }]],
  ] as const) {
    it(`keeps the resourceVersion when a ${kind} patch changes nothing`, async () => {
      const created = await create(`idle-${kind}`, { keep: '1' });
      const answer = await api.admin.patch(kind, `${lease(`idle-${kind}`)}?fieldManager=somebody-else`, body);
      expect(answer.status).to.equal(200);
      expect(answer.at()).to.deep.equal(created.at());
    });
  }

  for (const [kind, body] of [
    ['merge', { metadata: { resourceVersion: '1', annotations: { keep: '2' } } }],
    ['merge', { metadata: { resourceVersion: '1', annotations: { keep: '1' } } }],
    [
      'json',
      [
        { op: 'replace', path: '/metadata/resourceVersion', value: '1' },
        { op: 'add', path: '/metadata/annotations/keep', value: '2' },
      ],
    ],
  ] as const) {
    it(`refuses a ${kind} patch that names an older resourceVersion: ${JSON.stringify(body)}`, async () => {
      await create('stale', { keep: '1' });
      const answer = await api.admin.patch(kind, lease('stale'), body);
      expect(answer.status).to.equal(409);
      expect(answer.at('reason')).to.equal('Conflict');
      expect(answer.at('message')).to.match(/the object has been modified/);
    });
  }

  it('accepts a patch that names the present resourceVersion', async () => {
    const created = await create('fresh');
    const resourceVersion = created.at('metadata', 'resourceVersion')!;
    const body = { metadata: { resourceVersion, annotations: { a: 'b' } } };
    expect((await api.admin.patch('merge', lease('fresh'), body)).status).to.equal(200);
  });

  it('tests, adds, replaces and removes with a JSON patch, its paths escaped', async () => {
    await create('json', { 'a/b': '1', c: '2' });
    const answer = await api.admin.patch('json', lease('json'), [
      { op: 'test', path: '/metadata/annotations/a~1b', value: '1' },
      { op: 'replace', path: '/metadata/annotations/a~1b', value: '9' },
      { op: 'remove', path: '/metadata/annotations/c' },
      { op: 'add', path: '/metadata/labels', value: { e: 'f' } },
    ]);
    expect(answer.status).to.equal(200);
    expect(answer.at('metadata', 'annotations')).to.deep.equal({ 'a/b': '9' });
    expect(answer.at('metadata', 'labels')).to.deep.equal({ e: 'f' });
  });

  for (const [law, operation] of [
    ['a failing test', { op: 'test', path: '/metadata/annotations/a', value: '9' }],
    ['a test of an older resourceVersion', { op: 'test', path: '/metadata/resourceVersion', value: '1' }],
    ['the removal of nothing', { op: 'remove', path: '/metadata/annotations/none' }],
    ['an addition inside nothing', { op: 'add', path: '/metadata/labels/a', value: '1' }],
    ['an operation it does not know', { op: 'frob', path: '/metadata/annotations/a' }],
  ] as const) {
    it(`refuses ${law} with 422 and changes nothing`, async () => {
      await create('tested', { a: '1' });
      const before = (await api.admin.get(lease('tested'))).at();
      const rest = [{ op: 'add', path: '/metadata/annotations/b', value: '2' }];
      const answer = await api.admin.patch('json', lease('tested'), [...rest, operation]);
      expect(answer.at()).to.deep.equal({
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message: 'the server rejected our request due to an error in our request',
        reason: 'Invalid',
        details: {},
        code: 422,
      });
      expect((await api.admin.get(lease('tested'))).at()).to.deep.equal(before);
    });
  }

  it('refuses a JSON patch that is no list', async () => {
    await create('listless');
    expect((await api.admin.patch('json', lease('listless'), { op: 'add' })).status).to.equal(400);
  });

  it('refuses a patch that leaves no Lease', async () => {
    await create('spoilt');
    const answer = await api.admin.patch('merge', lease('spoilt'), { spec: { leaseDurationSeconds: 'x' } });
    expect(answer.status).to.equal(422);
    expect(answer.at('message')).to.match(/^ "" is invalid: patch: Invalid value: /);
  });

  it('treats a strategic merge of maps as a merge', async () => {
    await create('strategic', { a: '1' });
    const answer = await api.admin.patch('strategic', lease('strategic'), { metadata: { annotations: { b: '2' } } });
    expect(answer.at('metadata', 'annotations')).to.deep.equal({ a: '1', b: '2' });
  });

  it('refuses to change a uid', async () => {
    await create('uid');
    const answer = await api.admin.patch('merge', lease('uid'), { metadata: { uid: 'other' } });
    expect(answer.status).to.equal(422);
    expect(answer.at('message')).to.match(/metadata.uid: Invalid value: "other": field is immutable$/);
  });

  it('finds nothing to patch where nothing is', async () => {
    const answer = await api.admin.patch('merge', lease('absent'), { metadata: { annotations: { a: 'b' } } });
    expect(answer.status).to.equal(404);
    expect(answer.at('message')).to.equal('leases.coordination.k8s.io "absent" not found');
  });
});
