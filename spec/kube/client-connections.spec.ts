import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect } from 'chai';
import { firstValueFrom, toArray } from 'rxjs';
import { type KubeClient, openKubeClient } from '../../src/kube/client.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { eventually } from '../support/until.ts';
import { kubeconfig } from './kubeconfig.ts';
import { openSpecClient, problemOf } from './open-spec-client.ts';
import { json, type ScriptedApi, scriptedApi } from './scripted-api.ts';

const get = { method: 'GET', path: '/api/v1/namespaces/ns/pods/p' } as const;

describe('the connections of the Kubernetes client', () => {
  let api: ScriptedApi;
  let client: KubeClient;

  beforeEach(async () => {
    api = await scriptedApi();
    client = await openSpecClient(api);
  });
  afterEach(async () => {
    await client[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
  });

  it('opens one connection for thirty requests in a row', async () => {
    for (let i = 0; i < 30; i += 1) await firstValueFrom(client.send(get));
    expect(api.asked).to.have.length(30);
    expect(api.connections()).to.equal(1);
  });

  describe('opened ahead of the first request', () => {
    it('are used by it', async () => {
      await client.connect();
      await eventually(() => api.open() === 1, 'the connection opens');
      expect(api.asked).to.have.length(0);
      await firstValueFrom(client.send(get));
      expect(api.connections()).to.equal(1);
    });

    it('are no loss when they are cut before it', async () => {
      await client.connect();
      await eventually(() => api.open() === 1, 'the connection opens');
      api.drop();
      await eventually(() => api.open() === 0, 'the connection is cut');
      await firstValueFrom(client.send(get));
      expect(api.connections()).to.equal(2);
    });

    it('are closed when nothing was asked', async () => {
      await client.connect();
      await eventually(() => api.open() === 1, 'the connection opens');
      await client[Symbol.asyncDispose]();
      await eventually(() => api.open() === 0, 'the connection closes');
    });

    it('fail in silence', async () => {
      await client[Symbol.asyncDispose]();
      await client.connect();
    });
  });

  it('sends beside an open watch without waiting for it', async () => {
    api.answer((response, { url }) =>
      url.includes('watch') ? response.writeHead(200).flushHeaders() : json(response, 1),
    );
    const lines: unknown[] = [];
    const watch = client.stream({ ...get, query: { watch: 'true' } }).subscribe((line) => lines.push(line));
    await eventually(() => lines.length === 1, 'the watch opens');
    expect(await firstValueFrom(client.send(get))).to.equal(1);
    expect(await firstValueFrom(client.send(get))).to.equal(1);
    expect(api.connections()).to.equal(2);
    watch.unsubscribe();
  });

  it('closes the connection when it is unsubscribed while the headers are pending', async () => {
    api.answer(() => undefined);
    const pending = client.send(get).subscribe();
    await eventually(() => api.asked.length === 1, 'the request arrives');
    expect(api.open()).to.equal(1);
    pending.unsubscribe();
    await eventually(() => api.open() === 0, 'the connection closes');
  });

  it('closes the connection when it is unsubscribed in the middle of a watch', async () => {
    api.answer((response) => response.writeHead(200).write('{"a":1}\n'));
    const lines: unknown[] = [];
    const watch = client.stream(get).subscribe((line) => lines.push(line));
    await eventually(() => lines.length === 2, 'a line arrives');
    watch.unsubscribe();
    await eventually(() => api.open() === 0, 'the connection closes');
  });

  it('sends nothing before it is subscribed to, and once for each subscription', async () => {
    const answer$ = client.send(get);
    expect(api.asked).to.have.length(0);
    await firstValueFrom(answer$);
    await firstValueFrom(answer$);
    expect(api.asked).to.have.length(2);
  });

  it('gives up a half-open connection at the deadline and opens another', async () => {
    await firstValueFrom(client.send(get));
    let silent = true;
    api.answer((response) => (silent ? undefined : json(response, 'back')));
    const problem = await problemOf(firstValueFrom(client.send({ ...get, timeoutMs: 60 })));
    expect(problem.message).to.equal('get pods "p" in namespace "ns": no answer within 0.06 s');
    expect(problem.status).to.equal(null);
    silent = false;
    expect(await firstValueFrom(client.send(get))).to.equal('back');
    expect(api.connections()).to.equal(2);
  });

  it('ends a watch beside a connection that went silent once the server answers on another, and not before', async () => {
    api.answer((response, { url }) => (url.includes('watch') ? response.writeHead(200).write('{"a":1}\n') : undefined));
    let problem: unknown = null;
    const watch = client
      .stream({ ...get, query: { watch: 'true' } })
      .subscribe({ error: (error: unknown) => (problem = error) });
    await eventually(() => api.asked.length === 1, 'the watch arrives');
    await problemOf(firstValueFrom(client.send({ ...get, timeoutMs: 60 })));
    await problemOf(firstValueFrom(client.send({ ...get, timeoutMs: 60 })));
    expect(problem).to.equal(null);

    api.answer((response) => json(response, 'back'));
    expect(await firstValueFrom(client.send(get))).to.equal('back');
    await eventually(() => problem !== null, 'the watch ends');
    expect((problem as Error).message).to.match(/^watch pods "p" in namespace "ns": ./);
    expect(watch.closed).to.equal(true);
    await eventually(() => api.open() === 1, 'the others are closed');
  });

  it('gives up an answer that stalls after its headers', async () => {
    api.answer((response) => response.writeHead(200).write('{"half":'));
    const problem = await problemOf(firstValueFrom(client.send({ ...get, timeoutMs: 60 })));
    expect(problem.message).to.contain('no answer within');
  });

  it('reports a connection cut in the middle of a watch, and works again at once', async () => {
    api.answer((response) => response.writeHead(200).write('{"a":1}\n'));
    const all = firstValueFrom(client.stream(get).pipe(toArray()));
    await eventually(() => api.asked.length === 1, 'the watch arrives');
    api.drop();
    expect((await problemOf(all)).status).to.equal(null);
    api.answer((response) => json(response, 'back'));
    expect(await firstValueFrom(client.send(get))).to.equal('back');
  });

  it('works again when a server that was gone comes back on the same port', async () => {
    await firstValueFrom(client.send(get));
    const { port, pki } = api;
    await api[Symbol.asyncDispose]();
    const problem = await problemOf(firstValueFrom(client.send(get)));
    expect(problem.message).to.match(/^get pods "p" in namespace "ns": .+/);
    api = await scriptedApi({ port, pki });
    expect(await firstValueFrom(client.send(get))).to.deep.equal({});
  });

  it('errs whatever is pending when it is disposed, and whatever is asked later', async () => {
    api.answer(() => undefined);
    const pending = problemOf(firstValueFrom(client.send(get)));
    await eventually(() => api.asked.length === 1, 'the request arrives');
    await client[Symbol.asyncDispose]();
    expect((await pending).name).to.equal('ApiError');
    expect((await problemOf(firstValueFrom(client.send(get)))).message).to.contain('closed');
  });
});

describe('a connection that never comes up', () => {
  const mute = async (): Promise<{ port: number; sockets: Set<Socket>; close: () => void }> => {
    const sockets = new Set<Socket>();
    // Accepts TCP and never says a word of TLS.
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
      socket.resume();
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return { port: (server.address() as AddressInfo).port, sockets, close: () => server.close() };
  };

  const clientOf = async (server: string): Promise<KubeClient> => {
    await using directory = await temporaryDirectory();
    return await openKubeClient({ kubeconfig: await directory.write('c', kubeconfig({ server })), userAgent: 'spec' });
  };

  it('is closed at once when nobody waits for it any more', async () => {
    const { port, sockets, close } = await mute();
    await using client = await clientOf(`https://127.0.0.1:${port}`);
    const pending = client.send(get).subscribe();
    await eventually(() => sockets.size === 1, 'it connects');
    pending.unsubscribe();
    await eventually(() => sockets.size === 0, 'it is closed');
    close();
  });

  it('is closed at once when the client is disposed', async () => {
    const { port, sockets, close } = await mute();
    const client = await clientOf(`https://127.0.0.1:${port}`);
    const pending = problemOf(firstValueFrom(client.send(get)));
    await eventually(() => sockets.size === 1, 'it connects');
    await client[Symbol.asyncDispose]();
    expect((await pending).name).to.equal('ApiError');
    await eventually(() => sockets.size === 0, 'it is closed');
    close();
  });

  it('says what refused it', async () => {
    const { port, close } = await mute();
    close();
    await using client = await clientOf(`https://127.0.0.1:${port}`);
    const { message } = await problemOf(firstValueFrom(client.send(get)));
    expect(message).to.equal(`get pods "p" in namespace "ns": connect ECONNREFUSED 127.0.0.1:${port}`);
  });
});
