import { once } from 'node:events';
import { copyFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Status } from '../../src/status/status.ts';
import { type ApiUnderTest, startApiUnderTest } from '../support/api-under-test.ts';
import { freePort } from '../support/free-port.ts';
import { install, type Installation, PREFIX, type SpecReplica } from '../support/installation.ts';
import { startNodeNeighbour } from '../support/neighbours/node-neighbour.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';

const LOADED = 'Certificate loaded and verified';
const ELSEWHERE = 'Neighbour shows another certificate';
const ACKNOWLEDGED = 'Certificate acknowledged';
const PROVEN = 'Neighbour shows the announced certificate';

describe('a replica beside a server that terminates TLS itself', function () {
  this.timeout(90_000);
  let api: ApiUnderTest;
  before(async () => {
    api = await startApiUnderTest();
  });
  after(() => api[Symbol.asyncDispose]());

  const status = async (replica: SpecReplica): Promise<Status> =>
    JSON.parse((await replica.probe('/status')).text) as Status;
  const ready = async (replica: SpecReplica) => (await replica.probe('/readyz')).text.trim().split('\n');
  const acknowledged = async ({ namespace }: Installation, { name }: SpecReplica): Promise<unknown> => {
    const pod = await api.admin.get(`/api/v1/namespaces/${namespace}/pods/${name}`);
    return pod.at('metadata', 'annotations', `${PREFIX}/serving-hash`);
  };
  const rotated = async (installation: Installation, what: 'leaf' | 'ca' = 'leaf'): Promise<string> => {
    const before = await installation.leaseAnnotation('cert-hash');
    await installation.annotateLease({ rotate: what });
    await until(async () => (await installation.leaseAnnotation('cert-hash')) !== before);
    return (await installation.leaseAnnotation('cert-hash')) ?? '';
  };
  const atPort = ({ webhookPort: port, directory, name }: SpecReplica) => ({ port, directory, name });

  it('acknowledges what its handshakes have shown, through rotations of leaf and CA', async () => {
    await using installation = await install(api, { env: { CA_OVERLAP: '0' } });
    await using replica = await installation.replica({ serving: true });
    await using beside = new AsyncDisposableStack();
    beside.use(await startNodeNeighbour({ ...atPort(replica), habit: { afterMs: 30 } }));
    const { hash } = await replica.line(ACKNOWLEDGED);
    expect(await installation.leaseAnnotation('cert-hash')).to.equal(hash);
    for (const what of ['leaf', 'ca'] as const) {
      const next = await rotated(installation, what);
      expect(await replica.line(PROVEN, { hash: next })).to.include({ handshakes: 8 });
      await replica.line(ACKNOWLEDGED, { hash: next });
      expect(await ready(replica)).to.deep.equal(['ok']);
    }
    expect(replica.count(ELSEWHERE)).to.equal(0);
    expect((await status(replica)).neighbour).to.include({
      address: `127.0.0.1:${replica.webhookPort}`,
      shows: 'announced',
      detail: null,
    });
  });

  it('stays ready and says why while the neighbour keeps an older certificate, and says once when that is over', async () => {
    await using installation = await install(api);
    await using replica = await installation.replica({ serving: true });
    await using neighbour = await startNodeNeighbour({ ...atPort(replica), habit: 'asked' });
    const { hash: older } = await replica.line(ACKNOWLEDGED);
    await until(async () => (await ready(replica))[0] === 'ok');
    const hash = await rotated(installation);

    const { shown, reason } = await replica.line(ELSEWHERE, { hash }, 20_000);
    expect(shown).to.equal(older);
    expect(reason).to.match(new RegExp(`^neighbour shows ${String(older)} since \\d{4}-.*Z$`));
    await until(async () => (await ready(replica)).join() === `ok,served-elsewhere: ${String(reason)}`);
    const { neighbour: seen, waitsFor, served, ready: isReady } = await status(replica);
    expect(seen).to.include({ shows: 'served-elsewhere', hash: older, detail: reason });
    expect(waitsFor[0]).to.include({ for: 'neighbour', detail: `served-elsewhere: ${String(reason)}` });
    expect([served?.hash, isReady]).to.deep.equal([older, true]);
    expect(await acknowledged(installation, replica)).to.equal(older);
    const events = (await api.admin.get(`/api/v1/namespaces/${installation.namespace}/events`)).at('items');
    expect(events).to.satisfy((all: readonly { reason: string }[]) =>
      all.some((one) => one.reason === 'CertificateNotShown'),
    );

    neighbour.reload();
    await replica.line(ACKNOWLEDGED, { hash });
    await replica.line(LOADED, { hash });
    await until(async () => (await ready(replica)).join() === 'ok');
    expect(replica.count(ELSEWHERE)).to.equal(1);
  });

  it('takes back what it acknowledged when the neighbour restarts into an older mount', async () => {
    await using installation = await install(api);
    await using replica = await installation.replica({ serving: true });
    await using folder = await temporaryDirectory();
    const copy = async (from: string, to: string) => {
      for (const name of ['tls.crt', 'tls.key']) await copyFile(join(from, name), join(folder.path, `${to}${name}`));
    };
    await replica.line('Neighbour cannot be reached', {}, 20_000);
    await copy(replica.directory, '');
    await copy(replica.directory, 'older-');
    await using neighbour = await startNodeNeighbour({ ...atPort(replica), directory: folder.path, habit: 'asked' });
    const { hash: older } = await replica.line(ACKNOWLEDGED);
    const hash = await rotated(installation);
    // Known only of what is mounted here.
    await replica.line(ELSEWHERE, { hash }, 20_000);
    await copy(replica.directory, '');
    neighbour.reload();
    await replica.line(ACKNOWLEDGED, { hash });

    for (const name of ['tls.crt', 'tls.key'])
      await copyFile(join(folder.path, `older-${name}`), join(folder.path, name));
    replica.mark();
    await neighbour.restart();
    await replica.line(ELSEWHERE, { hash, shown: older, refused: null }, 20_000);
    await replica.line(ACKNOWLEDGED, { hash: older });
    await until(async () => (await acknowledged(installation, replica)) === older);
  });

  it('is not ready while nothing listens there, and starts no server for reviews itself', async () => {
    await using installation = await install(api);
    const address = `127.0.0.1:${await freePort()}`;
    await using replica = await installation.replica({ serving: true, env: { WEBHOOK_BIND_ADDRESS: address } });
    const { reason } = await replica.line('Neighbour cannot be reached', {}, 20_000);
    expect(reason).to.match(/^127\.0\.0\.1:\d+: nothing listens there \(ECONNREFUSED\) since \d{4}-/);
    expect(await ready(replica)).to.deep.equal([`neighbour-unreachable: ${String(reason)}`]);
    const dialled = connect(Number(address.split(':')[1]), '127.0.0.1');
    const [error] = (await once(dialled, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).to.equal('ECONNREFUSED');
    {
      await using beside = new AsyncDisposableStack();
      beside.use(await startNodeNeighbour({ ...atPort(replica), habit: 'never' }));
      await until(async () => (await ready(replica)).join() === 'ok');
    }
    replica.mark();
    await replica.line('Neighbour cannot be reached', {}, 20_000);
    expect((await replica.probe('/readyz')).code).to.equal(503);
    // The pair is there: CERT_TIMEOUT is no reason to restart this process.
    expect(replica.count('Timeout waiting for webhook certificates')).to.equal(0);
  });

  it('says that no certificate is shown where the neighbour speaks no TLS', async () => {
    await using installation = await install(api);
    await using replica = await installation.replica({ serving: true });
    const plain = createServer((_request, response) => response.end()).listen(replica.webhookPort, '127.0.0.1');
    await once(plain, 'listening');
    const { reason } = await replica.line('Neighbour shows no certificate', {}, 20_000);
    expect(reason).to.match(/^127\.0\.0\.1:\d+: .+ since /);
    expect((await ready(replica))[0]).to.match(/^neighbour-shows-no-certificate: /);
    plain.closeAllConnections();
    plain.close();
  });

  it('asks for a reload by RELOAD, once for each certificate', async () => {
    await using installation = await install(api);
    const asked: string[] = [];
    let reload = (): void => undefined;
    const endpoint = createServer((request, response) => {
      asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
      reload();
      response.end();
    }).listen(0, '127.0.0.1');
    await once(endpoint, 'listening');
    const { port } = endpoint.address() as AddressInfo;
    await using replica = await installation.replica({
      serving: true,
      env: { RELOAD: `http://127.0.0.1:${port}/reload` },
    });
    await using neighbour = await startNodeNeighbour({ ...atPort(replica), habit: 'asked' });
    reload = () => neighbour.reload();
    await replica.line(ACKNOWLEDGED);
    expect(asked).to.deep.equal([]);
    for (let rotation = 1; rotation <= 2; rotation += 1) {
      const hash = await rotated(installation);
      await replica.line(ACKNOWLEDGED, { hash });
      expect(asked).to.deep.equal(Array.from({ length: rotation }, () => 'POST /reload'));
    }
    endpoint.close();
  });

  it('acknowledges nothing before all workers behind the port agree', async () => {
    await using installation = await install(api);
    await using replica = await installation.replica({ serving: true });
    const { directory, name } = replica;
    const ports = [await freePort(), await freePort()] as const;
    await using workers = new AsyncDisposableStack();
    const started = await Promise.all(
      ports.map((port) => startNodeNeighbour({ directory, name, port, habit: 'asked' })),
    );
    for (const worker of started) workers.use(worker);
    let turn = 0;
    const balancer = createTcpServer((client) => {
      const worker = connect(ports[turn++ % 2]!, '127.0.0.1');
      for (const [from, to] of [
        [client, worker],
        [worker, client],
      ] as const) {
        from.on('error', () => to.destroy());
        from.on('close', () => to.destroySoon());
        from.pipe(to);
      }
    }).listen(replica.webhookPort, '127.0.0.1');
    workers.defer(() => void balancer.close());
    const { hash: older } = await replica.line(ACKNOWLEDGED);

    const hash = await rotated(installation);
    await until(async () => (await status(replica)).mounted?.hash === hash);
    started[0]!.reload();
    const { shown } = await replica.line(ELSEWHERE, { hash }, 20_000);
    expect(shown).to.equal(older);
    expect(await acknowledged(installation, replica)).to.equal(older);
    expect(replica.lines.some((line) => line.message === PROVEN && line['hash'] === hash)).to.equal(false);
    started[1]!.reload();
    await replica.line(ACKNOWLEDGED, { hash });
  });
});
