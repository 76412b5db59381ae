import { expect } from 'chai';
import { type ApiUnderTest, startApiUnderTest } from '../support/api-under-test.ts';
import { bodies } from './bodies.ts';

describe('api: faults', () => {
  const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases';
  let server: ApiUnderTest;
  let version: string;

  before(async function () {
    this.timeout(60_000);
    server = await startApiUnderTest();
    version = (await server.admin.post(leases, bodies.lease('kept'))).at('metadata', 'resourceVersion') as string;
  });

  after(async () => {
    await server[Symbol.asyncDispose]();
  });

  it('refuses connections while it is gone, and has forgotten nothing when it is back at its address', async function () {
    this.timeout(60_000);
    using watch = await server.admin.watch(`${leases}?resourceVersion=${version}`);
    await server.stop();
    expect(await watch.ended).to.equal('cut');
    const refused = await server.admin.get(`${leases}/kept`).catch((error: unknown) => error);
    expect(refused).to.have.property('code', 'ECONNREFUSED');
    await server.start();
    expect((await server.admin.get(`${leases}/kept`)).at('metadata', 'resourceVersion')).to.equal(version);
  });

  it('accepts while it is frozen but answers only when it thaws', async () => {
    using watch = await server.admin.watch(`${leases}?fieldSelector=metadata.name%3Dkept`);
    await watch.next();
    server.freeze();
    let isAnswered = false;
    const answer = server.admin.patch('merge', `${leases}/kept`, { metadata: { annotations: { a: 'b' } } });
    void answer.then(() => (isAnswered = true));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(isAnswered).to.equal(false);
    server.thaw();
    expect((await answer).status).to.equal(200);
    expect((await watch.next()).type).to.equal('MODIFIED');
  });

  it('ends every watch', async () => {
    using first = await server.admin.watch(`${leases}?fieldSelector=metadata.name%3Dkept`);
    using second = await server.admin.watch(leases);
    server.endWatches();
    const end = server.kind === 'embedded' ? 'clean' : 'cut';
    expect([await first.ended, await second.ended]).to.deep.equal([end, end]);
    expect((await server.admin.get(`${leases}/kept`)).status).to.equal(200);
  });

  it('gives kubeconfigs that lead back to it', () => {
    const parsed = JSON.parse(server.adminKubeconfig()) as {
      readonly clusters: readonly { readonly cluster: Readonly<Record<string, string>> }[];
      readonly users: readonly { readonly user: { readonly token: string } }[];
    };
    const cluster = parsed.clusters[0]!.cluster;
    expect(cluster['server']).to.equal(server.url);
    expect(Buffer.from(cluster['certificate-authority-data']!, 'base64').toString()).to.equal(server.caPem);
    expect(parsed.users[0]!.user.token).to.equal(server.adminToken);
  });
});
