import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect } from 'chai';
import { firstValueFrom } from 'rxjs';
import { portForward } from '../../src/kube/port-forward.ts';
import { openSpecClient, problemOf } from './open-spec-client.ts';
import { forwardPorts } from './pod-tunnels.ts';
import { scriptedApi } from './scripted-api.ts';

const get = { method: 'GET', path: '/api/v1/namespaces/ns/pods/p' } as const;

interface Proxy extends AsyncDisposable {
  readonly url: string;
  readonly tunnels: readonly string[];
}

const openProxy = async (refuses = false): Promise<Proxy> => {
  const tunnels: string[] = [];
  const server = createServer();
  server.on('connect', ({ url = '' }, socket) => {
    tunnels.push(url);
    socket.on('error', () => undefined);
    if (refuses) return void socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    const [host = '', port = ''] = url.split(':');
    const far = connect({ host, port: Number(port) }, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      far.pipe(socket).pipe(far);
    });
    far.on('error', () => socket.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tunnels,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
};

describe('the Kubernetes client behind a proxy-url', () => {
  it('tunnels through it, over one connection', async () => {
    await using api = await scriptedApi();
    await using proxy = await openProxy();
    await using client = await openSpecClient(api, { cluster: { 'proxy-url': proxy.url } });
    for (let i = 0; i < 5; i += 1) expect(await firstValueFrom(client.send(get))).to.deep.equal({});
    expect(proxy.tunnels).to.deep.equal([`127.0.0.1:${api.port}`]);
  });

  it('verifies the server under tls-server-name', async () => {
    await using api = await scriptedApi({ name: 'api.internal' });
    await using proxy = await openProxy();
    const cluster = { 'proxy-url': proxy.url, 'tls-server-name': 'api.internal' };
    await using client = await openSpecClient(api, { cluster });
    expect(await firstValueFrom(client.send(get))).to.deep.equal({});
  });

  it('forwards a port of a Pod through it', async () => {
    await using api = await scriptedApi();
    await using proxy = await openProxy();
    await using client = await openSpecClient(api, { cluster: { 'proxy-url': proxy.url } });
    const { asked } = forwardPorts(api, { error: 'no such Pod' });
    const signal = new AbortController().signal;
    const tunnel = await portForward(client, { namespace: 'ns', pod: 'p', port: 8443 }, signal);
    const [error] = (await once(tunnel, 'error')) as [Error];
    expect(error.message).to.contain('no such Pod');
    expect(asked).to.have.length(1);
    expect(proxy.tunnels).to.deep.equal([`127.0.0.1:${api.port}`]);
  });

  it('tells that the proxy refused', async () => {
    await using api = await scriptedApi();
    await using proxy = await openProxy(true);
    await using client = await openSpecClient(api, { cluster: { 'proxy-url': proxy.url } });
    const { message, status } = await problemOf(firstValueFrom(client.send(get)));
    expect(message).to.contain('403');
    expect(status).to.equal(null);
  });
});
