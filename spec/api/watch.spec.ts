import { expect } from 'chai';
import type { WatchLine } from '../support/raw-watch.ts';
import { scaled } from '../support/until.ts';
import { bodies } from './bodies.ts';
import { useApi } from './use-api.ts';

const nameOf = ({ object }: WatchLine) => (object['metadata'] as { readonly name: string }).name;
const versionOf = ({ object }: WatchLine) =>
  Number((object['metadata'] as { readonly resourceVersion: string }).resourceVersion);

describe('api: watch', () => {
  const api = useApi();
  const label = (name: string, value: string) =>
    api.admin.patch('merge', `${api.leases}/${name}`, { metadata: { labels: { side: value } } });
  const create = async (name: string) =>
    (await api.admin.post(api.leases, bodies.lease(name))).at('metadata', 'resourceVersion') as string;
  const only = (name: string) => `${api.leases}?fieldSelector=metadata.name%3D${name}`;

  it('resumes after a resourceVersion and misses nothing', async () => {
    const version = await create('resumed');
    await label('resumed', 'left');
    using watch = await api.admin.watch(`${only('resumed')}&resourceVersion=${version}`);
    expect(watch.status).to.equal(200);
    const first = await watch.next();
    expect(first.type).to.equal('MODIFIED');
    expect(first.object).to.include({ kind: 'Lease', apiVersion: 'coordination.k8s.io/v1' });
    await label('resumed', 'right');
    const second = await watch.next();
    await api.admin.delete(`${api.leases}/resumed`);
    const third = await watch.next();
    await create('resumed');
    const fourth = await watch.next();
    expect([second.type, third.type, fourth.type]).to.deep.equal(['MODIFIED', 'DELETED', 'ADDED']);
    const versions = [first, second, third, fourth].map(versionOf);
    expect(versions).to.deep.equal(versions.toSorted((a, b) => a - b));
    expect(new Set(versions).size).to.equal(4);
  });

  it('shows a deleted object as it last was, under a version of its own', async () => {
    await create('last');
    const labelled = await label('last', 'left');
    const version = labelled.at('metadata', 'resourceVersion') as string;
    using watch = await api.admin.watch(`${only('last')}&resourceVersion=${version}`);
    await api.admin.delete(`${api.leases}/last`);
    const { type, object } = await watch.next();
    expect(type).to.equal('DELETED');
    expect(object['metadata']).to.include({ name: 'last', uid: labelled.at('metadata', 'uid') });
    expect(versionOf({ type, object })).to.be.above(Number(version));
  });

  for (const start of ['', '&resourceVersion=0']) {
    it(`begins with what stands there${start === '' ? ' when no version is given' : ' for version 0'}`, async () => {
      const name = `present${start.length}`;
      await create(name);
      using watch = await api.admin.watch(`${only(name)}${start}`);
      const line = await watch.next();
      expect([line.type, nameOf(line)]).to.deep.equal(['ADDED', name]);
      await label(name, 'left');
      expect((await watch.next()).type).to.equal('MODIFIED');
    });
  }

  it('shows through a label selector what enters and what leaves', async () => {
    const version = await create('mover');
    using watch = await api.admin.watch(`${api.leases}?labelSelector=side%3Dleft&resourceVersion=${version}`);
    await label('mover', 'left');
    const left = await label('mover', 'right');
    const [entering, leaving] = [await watch.next(), await watch.next()];
    expect([entering.type, leaving.type]).to.deep.equal(['ADDED', 'DELETED']);
    // As it last matched, under the version that took it away.
    expect(leaving.object['metadata']).to.deep.include({ labels: { side: 'left' } });
    expect(versionOf(leaving)).to.equal(Number(left.at('metadata', 'resourceVersion')));
  });

  it('does not show other names', async () => {
    const version = await create('seen');
    using watch = await api.admin.watch(`${only('seen')}&resourceVersion=${version}`);
    await create('unseen');
    await label('seen', 'left');
    expect(nameOf(await watch.next())).to.equal('seen');
  });

  it('ends in good order after timeoutSeconds, with a bookmark shortly before', async () => {
    const version = await create('timed');
    const startMs = Date.now();
    using watch = await api.admin.watch(
      `${only('timed')}&resourceVersion=${version}&allowWatchBookmarks=true&timeoutSeconds=3`,
    );
    await label('timed', 'left');
    expect((await watch.next()).type).to.equal('MODIFIED');
    const bookmark = await watch.next();
    expect(bookmark.type).to.equal('BOOKMARK');
    expect(bookmark.object).to.include({ kind: 'Lease', apiVersion: 'coordination.k8s.io/v1' });
    expect(versionOf(bookmark)).to.be.above(Number(version));
    expect(await watch.ended).to.equal('clean');
    expect(Date.now() - startMs).to.be.within(2_800, scaled(4_500));
  });

  it('sends no bookmarks to who has not asked', async () => {
    const version = await create('plain');
    using watch = await api.admin.watch(`${only('plain')}&resourceVersion=${version}&timeoutSeconds=3`);
    await label('plain', 'left');
    await watch.ended;
    expect(watch.lines.map(({ type }) => type)).to.deep.equal(['MODIFIED']);
  });

  it('refuses a resourceVersion that is no number', async () => {
    const answer = await api.admin.get(`${api.leases}?watch=true&resourceVersion=abc`);
    expect(answer.status).to.equal(500);
    expect(answer.at('message')).to.match(/^resourceVersion: Invalid value: "abc"/);
  });

  it('ends with its connection', async () => {
    const version = await create('cut');
    using watch = await api.admin.watch(`${only('cut')}&resourceVersion=${version}`);
    api.server.cutConnections();
    expect(await watch.ended).to.equal('cut');
  });

  it('says Expired in its first line, under status 200, when the version is too old', async function () {
    this.timeout(60_000);
    const version = await create('old');
    await api.server.compact();
    using watch = await api.admin.watch(`${only('old')}&resourceVersion=${version}`);
    expect(watch.status).to.equal(200);
    const { type, object } = await watch.next();
    expect(type).to.equal('ERROR');
    expect(object).to.include({ kind: 'Status', status: 'Failure', reason: 'Expired', code: 410 });
    expect(object['message']).to.match(new RegExp(`^too old resource version: ${version} \\(\\d+\\)$`));
    expect(await watch.ended).to.equal('clean');
    const list = await api.admin.get(only('old'));
    using again = await api.admin.watch(
      `${only('old')}&resourceVersion=${list.at('metadata', 'resourceVersion') as string}`,
    );
    await label('old', 'left');
    expect((await again.next()).type).to.equal('MODIFIED');
  });
});
