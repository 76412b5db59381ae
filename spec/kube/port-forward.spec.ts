import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect } from 'chai';
import type { KubeClient } from '../../src/kube/client.ts';
import { portForward, TunnelError } from '../../src/kube/port-forward.ts';
import { freePort } from '../support/free-port.ts';
import { openSpecClient, problemOf } from './open-spec-client.ts';
import { forwardPorts } from './pod-tunnels.ts';
import { scriptedApi } from './scripted-api.ts';

const open = (client: KubeClient, port: number) =>
  portForward(client, { namespace: 'ns', pod: 'p', port }, new AbortController().signal);

const echo = async (): Promise<{ readonly port: number } & AsyncDisposable> => {
  const server = createServer((socket) => void socket.pipe(socket));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, 'close');
    },
  };
};

const echoed = async (client: KubeClient, port: number, sent: Buffer): Promise<Buffer> => {
  const tunnel = await open(client, port);
  tunnel.write(sent);
  const chunks: Buffer[] = [];
  for await (const chunk of tunnel as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    if (Buffer.concat(chunks).length >= sent.length) break;
  }
  return Buffer.concat(chunks);
};

describe('a tunnel to a Pod carries bytes both ways', () => {
  for (const bytes of [1, 125, 126, 65_535, 65_536, 300_000]) {
    it(`${bytes} bytes in one piece`, async () => {
      await using api = await scriptedApi();
      await using pod = await echo();
      await using client = await openSpecClient(api);
      const { asked } = forwardPorts(api);
      const sent = Buffer.alloc(bytes, 'webhook-certd');
      expect((await echoed(client, pod.port, sent)).equals(sent)).to.equal(true);
      expect(asked).to.deep.equal([`/api/v1/namespaces/ns/pods/p/portforward?ports=${pod.port}`]);
    });
  }

  it('in fragments with pings between them', async () => {
    await using api = await scriptedApi();
    await using pod = await echo();
    await using client = await openSpecClient(api);
    forwardPorts(api, { fragmentBytes: 7 });
    const sent = Buffer.alloc(1_000, 'fragment');
    expect((await echoed(client, pod.port, sent)).equals(sent)).to.equal(true);
  });
});

describe('a tunnel to a Pod that does not open says why', () => {
  it('nothing listens in the Pod', async () => {
    await using api = await scriptedApi();
    await using client = await openSpecClient(api);
    forwardPorts(api);
    const tunnel = await open(client, await freePort());
    const [error] = (await once(tunnel, 'error')) as [Error];
    expect(error).to.be.instanceOf(TunnelError);
    expect(error.message).to.contain('connection refused');
  });

  it('the API server forbids it', async () => {
    await using api = await scriptedApi();
    await using client = await openSpecClient(api);
    forwardPorts(api, { status: () => 403 });
    const problem = await problemOf(open(client, 8443));
    expect(problem).to.include({ status: 403 });
    expect(problem.message).to.contain('pods/portforward').and.to.contain('is forbidden');
  });

  it('a 401 is answered with fresh credentials once', async () => {
    await using api = await scriptedApi();
    await using pod = await echo();
    await using client = await openSpecClient(api);
    const statuses = [401];
    const { asked } = forwardPorts(api, { status: () => statuses.shift() ?? 101 });
    expect(String(await echoed(client, pod.port, Buffer.from('again')))).to.equal('again');
    expect(asked).to.have.length(2);
  });

  it('the server answers no WebSocket handshake', async () => {
    await using api = await scriptedApi();
    await using client = await openSpecClient(api);
    api.upgrade((_request, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n');
    });
    expect((await problemOf(open(client, 8443))).message).to.contain('no WebSocket handshake');
  });
});
