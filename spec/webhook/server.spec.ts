import { once } from 'node:events';
import { connect as connectTcp, createServer } from 'node:net';
import { connect } from 'node:tls';
import { expect } from 'chai';
import { createWebhookServer } from '../../src/webhook/server.ts';
import { supportPair, weakPair } from '../support/pki.ts';
import { openServer, pairs } from '../support/plain-webhook-server.ts';
import { scaled, until } from '../support/until.ts';
import { call, clientAgent, dial, heard } from '../support/webhook-call.ts';

const colons = (fingerprint: string) => fingerprint.toUpperCase().replaceAll(/..(?!$)/g, '$&:');

const failure = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no failure',
    (error: unknown) => (error as Error).message,
  );

const protocol = async (port: number, maxVersion: 'TLSv1.2' | 'TLSv1.3') => {
  const socket = connect({
    host: '127.0.0.1',
    port,
    maxVersion,
    rejectUnauthorized: false,
    ALPNProtocols: ['h2', 'http/1.1'],
  });
  try {
    await once(socket, 'secureConnect');
    return `${String(socket.getProtocol())} ${String(socket.alpnProtocol)}`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  } finally {
    socket.destroy();
  }
};

const client = await supportPair(['api-server']);

describe('webhook server', () => {
  const [first, second] = pairs();

  it('does not listen before there is a certificate', async () => {
    const server = createWebhookServer({
      bind: { host: '127.0.0.1', port: 0 },
      tlsMinVersion: 'TLSv1.3',
      answer: () => undefined,
    });
    expect(server.address).to.equal(null);
    expect(await failure(server.handshake('hook.ns.svc', null))).to.equal('nothing is served yet');
    await server.drain(10);
  });

  it('rejects a pair that does not match and serves the next good one', async () => {
    const server = createWebhookServer({
      bind: { host: '127.0.0.1', port: 0 },
      tlsMinVersion: 'TLSv1.3',
      answer: (_q, r) => r.end(),
    });
    expect(await failure(server.serve({ ...first, key: second.key }))).to.match(/mismatch/i);
    expect(server.address).to.equal(null);
    const { port } = await server.serve(first);
    expect((await call({ port })).status).to.equal(200);
    await server.drain(0);
  });

  it('says where it cannot listen, and can be asked again', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const server = createWebhookServer({
      bind: { host: '127.0.0.1', port },
      tlsMinVersion: 'TLSv1.3',
      answer: (_q, r) => r.end(),
    });
    expect(await failure(server.serve(first))).to.match(new RegExp(`cannot listen on 127.0.0.1:${port}: .*EADDRINUSE`));
    taken.close();
    await once(taken, 'close');
    expect(await server.serve(first)).to.deep.equal({ port });
    await server.drain(0);
  });

  it('keeps serving the last good pair when the new one does not match or is too weak', async () => {
    await using open = await openServer();
    expect(await failure(open.server.serve({ ...second, key: first.key }))).to.match(/mismatch/i);
    expect(await failure(open.server.serve({ certificate: 'junk', key: 'junk' }))).not.to.equal('no failure');
    expect(await failure(open.server.serve(await weakPair()))).to.match(/key too small/);
    expect((await call({ port: open.port })).certificate).to.equal(colons(first.fingerprint));
  });

  it('shows the new certificate from the next handshake on', async () => {
    await using open = await openServer();
    await open.server.serve(second);
    expect((await call({ port: open.port })).certificate).to.equal(colons(second.fingerprint));
  });

  it('refuses TLS 1.2 when told 1.3, before and after a swap', async () => {
    await using open = await openServer();
    for (let swaps = 0; swaps < 2; swaps += 1) {
      expect(await protocol(open.port, 'TLSv1.2')).to.equal('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
      expect(await protocol(open.port, 'TLSv1.3')).to.equal('TLSv1.3 http/1.1');
      await open.server.serve(second);
    }
  });

  it('reports a caller that offers TLS 1.2 only by kind, setting and peer, also after another failed handshake', async () => {
    await using open = await openServer();
    const garbage = connectTcp(open.port, '127.0.0.1');
    garbage.on('error', () => undefined).write(Buffer.alloc(100));
    await until(() => open.connectionErrors.length === 1);
    await protocol(open.port, 'TLSv1.2');
    await until(() => open.connectionErrors.length === 2);
    expect(open.connectionErrors[1]).to.deep.equal({
      kind: 'tls-version',
      reason: '127.0.0.1 offers only TLS versions older than TLS_MIN_VERSION=1.3',
      emit: true,
      suppressed: 0,
    });
  });

  it('gives no OpenSSL thread id and no advice for clients in the reason of a failed handshake', async () => {
    await using open = await openServer({ clientCa: client.ca });
    const garbage = connectTcp(open.port, '127.0.0.1');
    garbage.on('error', () => undefined).write(Buffer.alloc(100));
    await failure(call({ port: open.port, cert: first.certificate, key: first.key }));
    await until(() => open.connectionErrors.length >= 2);
    for (const { reason } of open.connectionErrors) expect(reason).not.to.match(/[0-9A-F]{8}:error|use-system-ca|deps/);
  });

  it('accepts TLS 1.2 when configured', async () => {
    await using open = await openServer({ tlsMinVersion: 'TLSv1.2' });
    expect(await protocol(open.port, 'TLSv1.2')).to.equal('TLSv1.2 http/1.1');
  });

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`never resumes a session over ${maxVersion}, which would show no certificate`, async () => {
      await using open = await openServer({ tlsMinVersion: 'TLSv1.2' });
      const socket = await dial(open.port, { maxVersion });
      const sessions: Buffer[] = [];
      socket.on('session', (session) => sessions.push(session));
      socket.write('POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
      await heard(socket);
      const again = await dial(open.port, { maxVersion, session: sessions[0] ?? socket.getSession() });
      expect(again.isSessionReused()).to.equal(false);
      again.destroy();
    });
  }

  it('fails no call while the pair is swapped 200 times under load', async () => {
    await using open = await openServer();
    const agents = [clientAgent({ keepAlive: true }), clientAgent({ keepAlive: false })];
    let calls = 0;
    let swapping = true;
    const seen = new Set<string>();
    const callers = [0, 1, 2, 3].map(async (i) => {
      while (swapping) {
        const { status, certificate } = await call({ port: open.port, agent: agents[i % 2] });
        expect(status).to.equal(200);
        seen.add(certificate);
        calls += 1;
      }
    });
    for (let swaps = 0; swaps < 200; swaps += 1) {
      await open.server.serve(swaps % 2 === 0 ? second : first);
      await new Promise(setImmediate);
      if (swaps % 20 === 0) open.server.retire();
    }
    await until(() => calls > 100);
    swapping = false;
    await Promise.all(callers);
    for (const agent of agents) agent.destroy();
    expect([...seen].sort()).to.deep.equal([first, second].map((pair) => colons(pair.fingerprint)).sort());
  });

  describe('handshake', () => {
    it('gives the fingerprint of the leaf that is served', async () => {
      await using open = await openServer();
      expect(await open.server.handshake('hook.ns.svc', Buffer.from(first.ca))).to.deep.equal({
        fingerprint: first.fingerprint,
      });
      await open.server.serve(second);
      expect(await open.server.handshake('hook.ns.svc', second.ca)).to.deep.equal({ fingerprint: second.fingerprint });
      await until(() => open.server.connections === 0);
      expect(open.connectionErrors).to.deep.equal([]);
    });

    it('fails when the chain or the name is not what a caller would accept', async () => {
      await using open = await openServer();
      expect(await failure(open.server.handshake('hook.ns.svc', second.ca))).to.match(
        /^loopback handshake failed: none of the 1 certificates in ca.crt issued/,
      );
      expect(await failure(open.server.handshake('other.ns.svc', first.ca))).to.match(/other.ns.svc/);
    });

    it('checks neither without a bundle', async () => {
      await using open = await openServer();
      expect(await open.server.handshake('other.ns.svc', null)).to.deep.equal({ fingerprint: first.fingerprint });
    });

    it('reaches itself on a wildcard address', async () => {
      await using open = await openServer({ bind: { host: null, port: 0 } });
      expect(await open.server.handshake('hook.ns.svc', first.ca)).to.deep.equal({ fingerprint: first.fingerprint });
    });
  });

  describe('with a client authority', () => {
    const presenting = { cert: client.certificate, key: client.key };

    it('answers only who shows a certificate of it, also after a swap', async () => {
      await using open = await openServer({ clientCa: client.ca });
      for (const pair of [second, first]) {
        await open.server.serve(pair);
        expect((await call({ port: open.port, ...presenting })).status).to.equal(200);
        expect(await failure(call({ port: open.port }))).not.to.equal('no failure');
        const stranger = { cert: first.certificate, key: first.key };
        expect(await failure(call({ port: open.port, ...stranger }))).not.to.equal('no failure');
      }
      expect(open.connectionErrors.map(({ kind }) => kind)).to.include('client-certificate');
    });

    it('takes another authority at once, and parts with connections that came in under the one before', async () => {
      const next = await supportPair(['api-server']);
      await using open = await openServer({
        clientCa: client.ca,
        limits: { quietMs: 50, headersTimeoutMs: scaled(200) },
      });
      const early = await dial(open.port, presenting);
      const closed = heard(early);
      open.server.trustClients(next.ca);
      await until(() => early.destroyed || early.readableEnded);
      expect(await closed).to.match(/^HTTP\/1.1 503 Leaving\r\n/);
      expect(await failure(call({ port: open.port, ...presenting }))).not.to.equal('no failure');
      const presentingNext = { cert: next.certificate, key: next.key };
      expect((await call({ port: open.port, ...presentingNext })).status).to.equal(200);
      await open.server.serve(second);
      expect((await call({ port: open.port, ...presentingNext })).status).to.equal(200);
    });

    it('takes another authority before anything is served', async () => {
      const server = createWebhookServer({
        bind: { host: '127.0.0.1', port: 0 },
        tlsMinVersion: 'TLSv1.3',
        clientCa: first.ca,
        answer: (_q, r) => r.end(),
      });
      server.trustClients(client.ca);
      const { port } = await server.serve(first);
      expect((await call({ port, ...presenting })).status).to.equal(200);
      await server.drain(0);
    });

    it('does not begin to ask for certificates where none were asked for', async () => {
      await using open = await openServer();
      expect(() => open.server.trustClients(client.ca)).to.throw('no client certificates are requested');
    });

    it('still performs the loopback handshake, and does not report it as a connection error', async () => {
      await using open = await openServer({ clientCa: client.ca });
      expect(await open.server.handshake('hook.ns.svc', first.ca)).to.deep.equal({ fingerprint: first.fingerprint });
      await until(() => open.server.connections === 0);
      expect(open.connectionErrors).to.deep.equal([]);
    });
  });
});
