import { expect } from 'chai';
import { bodies } from './bodies.ts';
import { useApi } from './use-api.ts';

const as = (kind: string) => `application/json;as=${kind};g=meta.k8s.io;v=v1`;
const ONE = as('PartialObjectMetadata');
const LIST = as('PartialObjectMetadataList');
const SERVING = encodeURIComponent('spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed');

describe('api: objects without spec and status', () => {
  const api = useApi();
  const pod = (name: string) => `${api.pods}/${name}`;
  const create = async (name: string, spec: Parameters<typeof bodies.pod>[1] = {}) => {
    const made = await api.admin.post(api.pods, bodies.pod(name, spec, { labels: { made: 'here' } }));
    expect(made.status).to.equal(201);
    return made.at('metadata', 'resourceVersion') as string;
  };
  const phase = (name: string, value: string) =>
    api.admin.patch('merge', `${pod(name)}/status`, { status: { phase: value } });

  it('are what a get answers, with all metadata', async () => {
    await create('got');
    const whole = await api.admin.get(pod('got'));
    const partial = await api.admin.get(pod('got'), ONE);
    expect(partial.status).to.equal(200);
    expect(partial.headers['content-type']).to.equal('application/json');
    expect(partial.at()).to.deep.equal({
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: whole.at('metadata'),
    });
    expect(partial.at('metadata', 'managedFields')).to.be.an('array').that.is.not.empty;
  });

  it('are the items of a list, and say their kind, unlike whole ones', async () => {
    await create('listed');
    const query = `${api.pods}?fieldSelector=metadata.name%3Dlisted`;
    const [whole, partial] = [await api.admin.get(query), await api.admin.get(query, LIST)];
    expect(partial.at('kind')).to.equal('PartialObjectMetadataList');
    expect(partial.at('apiVersion')).to.equal('meta.k8s.io/v1');
    expect(Number(partial.at('metadata', 'resourceVersion'))).to.be.at.least(
      Number(whole.at('items', 0, 'metadata', 'resourceVersion')),
    );
    expect(partial.at('items')).to.deep.equal([
      {
        kind: 'PartialObjectMetadata',
        apiVersion: 'meta.k8s.io/v1',
        metadata: whole.at('items', 0, 'metadata'),
      },
    ]);
  });

  it('are no list where one is asked for as an object, nor an object where a list is asked for', async () => {
    await create('unfit');
    const list = await api.admin.get(api.pods, ONE);
    expect(list.status).to.equal(406);
    expect(list.at('reason')).to.equal('NotAcceptable');
    expect(list.at('message')).to.match(/^you requested PartialObjectMetadata, but the requested object is a list/);
    const one = await api.admin.get(pod('unfit'), LIST);
    expect(one.status).to.equal(406);
    expect(one.at('message')).to.match(
      /^you requested PartialObjectMetadataList, but the requested object is not a list/,
    );
  });

  it('are whole where the client takes those as well and asks for them first', async () => {
    await create('whole');
    expect((await api.admin.get(pod('whole'), `application/json,${ONE}`)).at('kind')).to.equal('Pod');
    expect((await api.admin.get(pod('whole'), `${ONE},application/json`)).at('kind')).to.equal('PartialObjectMetadata');
    expect((await api.admin.get(pod('whole'), '*/*')).at('kind')).to.equal('Pod');
  });

  it('are refused in a form that nobody knows, unless another will do', async () => {
    await create('odd');
    const odd = await api.admin.get(pod('odd'), as('Nonsense'));
    expect(odd.status).to.equal(406);
    expect(odd.at('message')).to.match(/^only the following media types are accepted: application\/json/);
    expect((await api.admin.get(pod('odd'), 'text/html')).status).to.equal(406);
    expect((await api.admin.get(pod('odd'), `${as('Nonsense')},application/json`)).at('kind')).to.equal('Pod');
  });

  it('are what a failure is not: it stays a Status', async () => {
    const answer = await api.admin.get(pod('none'), ONE);
    expect(answer.status).to.equal(404);
    expect(answer.at('kind')).to.equal('Status');
  });

  it('are what a watch sends, bookmarks included', async () => {
    const version = await create('seen');
    const query = `fieldSelector=metadata.name%3Dseen&resourceVersion=${version}&allowWatchBookmarks=true`;
    using watch = await api.admin.watch(`${api.pods}?${query}&timeoutSeconds=4`, ONE);
    await phase('seen', 'Running');
    const { type, object } = await watch.next();
    expect(type).to.equal('MODIFIED');
    expect(object).to.have.all.keys('kind', 'apiVersion', 'metadata');
    expect(object).to.include({ kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' });
    expect(object['metadata']).to.deep.equal((await api.admin.get(pod('seen'))).at('metadata'));
    const bookmark = await watch.next();
    expect(bookmark.type).to.equal('BOOKMARK');
    expect(bookmark.object).to.include({ kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' });
  });

  it('leave a watch as DELETED once a field selector no longer selects them', async () => {
    const version = await create('leaving', { nodeName: 'node' });
    const query = `labelSelector=made%3Dhere&fieldSelector=${SERVING}&resourceVersion=${version}`;
    using watch = await api.admin.watch(`${api.pods}?${query}`, ONE);
    await create('homeless');
    await create('placed', { nodeName: 'node' });
    await phase('leaving', 'Running');
    await phase('homeless', 'Running');
    await phase('leaving', 'Failed');
    await phase('placed', 'Succeeded');
    await phase('leaving', 'Succeeded');
    const told = async () => {
      const { type, object } = await watch.next();
      return `${type} ${(object['metadata'] as { readonly name: string }).name}`;
    };
    const lines = [await told(), await told(), await told(), await told()];
    expect(lines).to.deep.equal(['ADDED placed', 'MODIFIED leaving', 'DELETED leaving', 'DELETED placed']);
    const listed = await api.admin.get(`${api.pods}?labelSelector=made%3Dhere&fieldSelector=${SERVING}`, LIST);
    expect(listed.at('items'), 'nothing is null').to.equal(null);
  });
});
