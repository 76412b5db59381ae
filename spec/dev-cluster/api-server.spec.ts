import { once } from 'node:events';
import { connect } from 'node:tls';
import { KubeConfig } from '@kubernetes/client-node';
import { expect } from 'chai';
import { type ApiServerOptions, type EmbeddedApiServer, startApiServer } from '../../src/dev-cluster/api-server.ts';
import { bodies } from '../api/bodies.ts';
import { type RawApi, rawApi } from '../support/raw-api.ts';

const leases = '/apis/coordination.k8s.io/v1/namespaces/any/leases';

describe('embedded/api-server', () => {
  let server: EmbeddedApiServer;
  let admin: RawApi;
  const start = async (options: ApiServerOptions = {}) => {
    server = await startApiServer(options);
    admin = rawApi({ url: server.url, caPem: server.caPem, token: server.adminToken });
  };

  afterEach(async () => {
    admin[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
  });

  it('takes namespaces for granted', async () => {
    await start();
    expect((await admin.post(leases, bodies.lease('a'))).status).to.equal(201);
  });

  it('sends bookmarks at its interval', async () => {
    await start({ bookmarkIntervalMs: 20 });
    using watch = await admin.watch(`${leases}?allowWatchBookmarks=true`);
    const [first, second] = [await watch.next(), await watch.next()];
    expect([first.type, second.type]).to.deep.equal(['BOOKMARK', 'BOOKMARK']);
  });

  it('remembers no more changes than told, and lets watches begin just there', async () => {
    await start({ historyLimit: 2 });
    const versions: string[] = [];
    for (const name of ['a', 'b', 'c', 'd']) {
      versions.push((await admin.post(leases, bodies.lease(name))).at('metadata', 'resourceVersion') as string);
    }
    using tooOld = await admin.watch(`${leases}?resourceVersion=${versions[0]!}`);
    expect((await tooOld.next()).type).to.equal('ERROR');
    using oldest = await admin.watch(`${leases}?resourceVersion=${versions[1]!}`);
    expect([(await oldest.next()).type, (await oldest.next()).type]).to.deep.equal(['ADDED', 'ADDED']);
  });

  it('logs who asked for what, and counts connections and watches', async () => {
    await start({ users: [{ token: 't', user: 'somebody', rules: [] }] });
    using caller = rawApi({ url: server.url, caPem: server.caPem, token: 't' });
    await admin.post(leases, bodies.lease('a'));
    await caller.patch('merge', '/api/v1/namespaces/any/pods/p/status', {});
    using watch = await admin.watch(leases);
    await watch.next();
    const asked = server.requests.entries.map(({ user, verb, resource, subresource, name, code }) => [
      user,
      verb,
      resource,
      subresource,
      name,
      code,
    ]);
    expect(asked).to.deep.equal([
      ['admin', 'create', 'leases', null, null, 201],
      ['somebody', 'patch', 'pods', 'status', 'p', 403],
      ['admin', 'watch', 'leases', null, null, 200],
    ]);
    expect(server.requests.count({ user: 'admin' })).to.equal(2);
    expect(server.openWatches).to.equal(1);
    expect(server.connections).to.equal(2);
  });

  it('counts what the watches of each user carry, bookmarks apart', async () => {
    await start({ bookmarkIntervalMs: 20, users: [{ token: 't', user: 'somebody' }] });
    using caller = rawApi({ url: server.url, caPem: server.caPem, token: 't' });
    using watch = await caller.watch(`${leases}?allowWatchBookmarks=true`);
    await admin.post(leases, bodies.lease('a'));
    await admin.delete(`${leases}/a`);
    const types = new Set<unknown>();
    while (types.size < 3) types.add((await watch.next()).type);
    expect(server.watchEvents.changes('somebody')).to.equal(2);
    expect(server.watchEvents.bookmarks('somebody')).to.be.at.least(1);
    expect(server.watchEvents.changes('admin')).to.equal(0);
  });

  it('ends watches in good order and leaves their connections alone', async () => {
    await start();
    using watch = await admin.watch(leases);
    server.endWatches();
    expect(await watch.ended).to.equal('clean');
    await admin.get(leases);
    expect(server.connections).to.equal(1);
  });

  it('refuses a body that is no JSON, one that is too large, and patches it cannot apply', async () => {
    await start();
    await admin.post(leases, bodies.lease('a'));
    const large = bodies.lease('b', { holderIdentity: 'x'.repeat(3 * 1_024 * 1_024) });
    expect((await admin.post(leases, large)).status).to.equal(413);
    const list = { metadata: { finalizers: ['a'] } };
    expect((await admin.patch('strategic', `${leases}/a`, list)).status).to.equal(415);
  });

  it('speaks HTTP/1.1 under a certificate that its own authority signed', async () => {
    await start();
    const socket = connect({
      port: server.port,
      host: '127.0.0.1',
      ca: server.caPem,
      ALPNProtocols: ['h2', 'http/1.1'],
    });
    await once(socket, 'secureConnect');
    expect(socket.authorized).to.equal(true);
    expect(socket.alpnProtocol).to.equal('http/1.1');
    socket.destroy();
  });

  it('is shown to clients by a kubeconfig that the Kubernetes client reads', async () => {
    await start();
    const config = new KubeConfig();
    config.loadFromString(server.kubeconfig());
    expect(config.getCurrentCluster()?.server).to.equal(server.url);
    expect(config.getCurrentUser()?.token).to.equal(server.adminToken);
  });

  it('tells what it serves', async () => {
    await start();
    expect((await admin.get('/apis')).at('groups', 0, 'preferredVersion', 'groupVersion')).to.equal(
      'coordination.k8s.io/v1',
    );
    const core = await admin.get('/api/v1');
    const names = (core.at('resources') as readonly { readonly name: string }[]).map(({ name }) => name);
    expect(names).to.include.members(['secrets', 'pods', 'pods/status', 'events', 'namespaces']);
  });
});
