import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Outcome } from '../../src/webhook/request.ts';
import { createUpstream, upstreamTarget } from '../../src/webhook/upstream.ts';
import { reviewText } from '../support/admission-review.ts';
import { openServer } from '../support/plain-webhook-server.ts';
import { until } from '../support/until.ts';
import { type Call, call, clientAgent, dial, heard } from '../support/webhook-call.ts';

const maxRequestBytes = 1_000_000;

describe('upstream', () => {
  const opened: { close(): void; closeAllConnections?(): void }[] = [];
  const sockets: Socket[] = [];
  afterEach(() => {
    for (const server of opened.splice(0)) {
      server.close();
      server.closeAllConnections?.();
    }
    for (const socket of sockets.splice(0)) socket.destroy();
  });

  const http = async (listener: RequestListener): Promise<string> => {
    const server: Server = createServer(listener).listen(0, '127.0.0.1');
    opened.push(server);
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const tcp = async (onSocket: (socket: Socket) => void): Promise<string> => {
    const server = createTcpServer((socket) => {
      sockets.push(socket.on('error', () => undefined));
      onSocket(socket);
    }).listen(0, '127.0.0.1');
    opened.push(server);
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const text = async (request: IncomingMessage) => Buffer.concat(await request.toArray()).toString();

  const front = async (url: string, timeoutMs = 2_000) => {
    const outcomes: Outcome[] = [];
    const faults: [number, string][] = [];
    const upstream = createUpstream({
      upstream: url.startsWith('unix:') ? { kind: 'unix', path: url.slice('unix:'.length) } : { kind: 'http', url },
      timeoutMs,
      maxRequestBytes,
      onAnswered: (outcome) => outcomes.push(outcome),
      onFault: (status, reason) => faults.push([status, reason]),
    });
    const open = await openServer({ answer: upstream.answer });
    const dispose = async () => {
      await open[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    };
    return { port: open.port, server: open.server, upstream, outcomes, faults, [Symbol.asyncDispose]: dispose };
  };
  const ask = async (url: string, how: Partial<Call> = {}, timeoutMs?: number) => {
    await using open = await front(url, timeoutMs);
    const start = performance.now();
    const answer = await call({ port: open.port, ...how }).catch((error: unknown) => (error as Error).message);
    const elapsedMs = performance.now() - start;
    await until(() => open.outcomes.length > 0);
    const { outcomes, faults } = open;
    return typeof answer === 'string'
      ? { status: 0, text: answer, headers: {} as NodeJS.Dict<string | string[]>, outcomes, faults, elapsedMs }
      : { ...answer, outcomes, faults, elapsedMs };
  };

  it('forwards bytes, path, query and headers as they are, and brings the answer back as it is', async () => {
    const seen: { url?: string | undefined; headers: NodeJS.Dict<string | string[]>; body: string }[] = [];
    const url = await http((request, response) => {
      void text(request).then((body) => {
        seen.push({ url: request.url, headers: request.headers, body });
        response
          .writeHead(418, ['X-Twice', '1', 'X-Twice', '2', 'Keep-Alive', 'timeout=5'])
          .end('{ "kept" : [1,  2] }');
      });
    });
    const body = '{ "spaces" :  "kept", "é": "\\u0000" }';
    const headers = { host: 'hook.ns.svc', 'x-kept': 'yes', te: 'trailers', 'x-hop': 'no', connection: 'x-hop' };
    const answer = await ask(url, { path: '/a%2Fb/c?timeout=10s&x=%20', body, headers });
    expect([answer.status, answer.text, answer.outcomes]).to.deep.equal([418, '{ "kept" : [1,  2] }', ['forwarded']]);
    expect(answer.headers).to.include({ 'x-twice': '1, 2' });
    expect(seen[0]).to.deep.include({ url: '/a%2Fb/c?timeout=10s&x=%20', body });
    expect(seen[0]?.headers).to.include({ host: 'hook.ns.svc', 'x-kept': 'yes', 'content-type': 'application/json' });
    expect(seen[0]?.headers).to.not.have.any.keys('te', 'x-hop');
  });

  it('speaks to a Unix socket', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'up-'));
    const path = join(directory, 'hook.sock');
    const server = createServer((_request, response) => response.end('unix')).listen(path);
    await once(server, 'listening');
    await using open = await front(`unix:${path}`);
    expect((await call({ port: open.port })).text).to.equal('unix');
    expect(await open.upstream.unreachable()).to.equal(null);
    server.close();
    server.closeAllConnections();
    rmSync(directory, { recursive: true, force: true });
  });

  it('forwards a large body as it comes, declared or in chunks', async () => {
    const url = await http((request, response) => void text(request).then((body) => response.end(String(body.length))));
    const body = 'x'.repeat(900_000);
    expect((await ask(url, { body })).text).to.equal('900000');
    expect((await ask(url, { body, headers: { 'transfer-encoding': 'chunked' } })).text).to.equal('900000');
  });

  it('keeps connections on both sides', async () => {
    let connections = 0;
    const server = createServer((_request, response) => response.end()).listen(0, '127.0.0.1');
    server.on('connection', () => (connections += 1));
    opened.push(server);
    await once(server, 'listening');
    await using open = await front(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const agent = clientAgent({ keepAlive: true });
    for (let calls = 0; calls < 20; calls += 1) await call({ port: open.port, agent });
    expect([connections, open.server.connections]).to.deep.equal([1, 1]);
    agent.destroy();
  });

  it('refuses what is not a POST of JSON, or too large, without asking the upstream', async () => {
    let asked = 0;
    const url = await http((_request, response) => response.end(String((asked += 1))));
    const get = await ask(url, { method: 'GET', path: '/apis', body: '' });
    expect([get.status, get.text]).to.deep.equal([
      405,
      'GET is not served: webhooks are called by POST; an aggregated API needs a TLS server of its own\n',
    ]);
    expect((await ask(url, { headers: { 'content-type': 'text/plain' } })).status).to.equal(415);
    const large = await ask(url, { body: Buffer.alloc(maxRequestBytes + 1) });
    expect([large.status, large.outcomes, asked]).to.deep.equal([413, ['refused'], 0]);
  });

  it('refuses a body that turns out to be too large', async () => {
    const url = await http(
      (request, response) =>
        void text(request).then(
          () => response.end(),
          () => undefined,
        ),
    );
    const body = Buffer.alloc(maxRequestBytes + 1);
    const answer = await ask(url, { body, headers: { 'transfer-encoding': 'chunked' } });
    expect([answer.status, answer.outcomes, answer.faults]).to.deep.equal([413, ['refused'], []]);
  });

  it('answers 503 with Retry-After: 0 when nothing listens, however large the body', async () => {
    const url = await http(() => undefined);
    for (const server of opened.splice(0)) server.close();
    for (const body of ['{}', 'x'.repeat(900_000)]) {
      const answer = await ask(url, { body });
      const reason = 'upstream: nothing listens there (ECONNREFUSED)';
      expect([answer.status, answer.text, answer.headers['retry-after']]).to.deep.equal([503, `${reason}\n`, '0']);
      expect([answer.outcomes, answer.faults]).to.deep.equal([['failed'], [[503, reason]]]);
    }
    await using open = await front(url);
    expect(await open.upstream.unreachable()).to.equal('nothing listens there (ECONNREFUSED)');
  });

  it('answers 504 within what the caller grants, and within the limit', async () => {
    const url = await http(() => undefined);
    const granted = await ask(url, { path: '/?timeout=200ms' });
    expect([granted.status, granted.text]).to.deep.equal([504, 'no answer from the upstream within 180 ms\n']);
    expect(granted.elapsedMs).to.be.within(170, 1_000);
    expect((await ask(url, { path: '/?timeout=30s' }, 100)).status).to.equal(504);
    const streamed = await ask(url, { body: 'x'.repeat(900_000) }, 100);
    expect([streamed.status, streamed.faults.length]).to.deep.equal([504, 1]);
  });

  const rude: readonly (readonly [string, string])[] = [
    ['speaks something else', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['sends a header that no header may be', 'HTTP/1.1 200 OK\r\nX: \u0001\r\nContent-Length: 0\r\n\r\n'],
    ['sends a status that none is', 'HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n'],
    ['declares too large an answer', 'HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n'],
  ];
  for (const [what, bytes] of rude) {
    it(`answers 502 when the upstream ${what}`, async () => {
      const url = await tcp((socket) => socket.once('data', () => socket.end(bytes)));
      const answer = await ask(url);
      expect([answer.status, answer.outcomes, answer.faults.length]).to.deep.equal([502, ['failed'], 1]);
      expect(answer.text).to.match(/^upstream: .+\n$/);
    });
  }

  for (const [what, bytes] of [
    ['closes the connection without an answer', ''],
    ['breaks off in the header', 'HTTP/1.1 200 OK\r\nContent-'],
  ] as const)
    it(`asks once more and answers 503 with Retry-After: 0 when the upstream ${what}`, async () => {
      let calls = 0;
      const url = await tcp((socket) =>
        socket.once('data', () => {
          calls += 1;
          socket.end(bytes);
        }),
      );
      const { status, text: reason, headers } = await ask(url);
      expect([status, headers['retry-after'], calls]).to.deep.equal([503, '0', 2]);
      expect(reason).to.equal('upstream: the connection was closed before the answer was complete\n');
    });

  it('fails no call of an upstream that ends its worker on every other request of a kept connection', async () => {
    const url = await tcp((socket) => {
      let answered = 0;
      socket.on('data', () => {
        answered += 1;
        if (answered > 1) socket.destroy();
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
    await using open = await front(url);
    const statuses = new Set<number>();
    for (let calls = 0; calls < 10; calls += 1) statuses.add((await call({ port: open.port })).status);
    expect([...statuses]).to.deep.equal([200]);
    expect(open.faults).to.deep.equal([]);
  });

  it('fails no call but with 503 and Retry-After: 0 while front and upstream end at once', async () => {
    const server = createServer((request, response) => {
      request.resume().once('end', () => setTimeout(() => response.end('ok'), 5));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    await using open = await front(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 60_000);
    const agents = [clientAgent({ keepAlive: true }), clientAgent({ keepAlive: false })];
    const seen = new Map<string, number>();
    let calling = true;
    const body = [reviewText(), 'x'.repeat(200_000)];
    const callers = Array.from({ length: 8 }, async (_, i) => {
      while (calling) {
        const { status, headers } = await call({
          port: open.port,
          agent: agents[i % 2],
          body: body[i % 4 < 2 ? 0 : 1] ?? '',
        });
        const how = `${status} ${String(headers['retry-after'])}`;
        seen.set(how, (seen.get(how) ?? 0) + 1);
      }
    });
    await until(() => (seen.get('200 undefined') ?? 0) > 40);
    void open.server.drain(20_000, 10_000);
    server.close();
    server.closeAllConnections();
    await until(() => (seen.get('503 0') ?? 0) > 20);
    calling = false;
    await Promise.all(callers);
    expect([...seen.keys()].sort()).to.deep.equal(['200 undefined', '503 0']);
    for (const agent of agents) agent.destroy();
  });

  const broken: readonly (readonly [string, string])[] = [
    ['breaks off', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'],
    ['breaks off in a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n50\r\nhalf'],
    [
      'never stops',
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n${'x'.repeat(0x200000)}\r\n0\r\n\r\n`,
    ],
  ];
  for (const [what, bytes] of broken) {
    it(`closes the connection when an answer that has begun ${what}`, async () => {
      const url = await tcp((socket) => socket.once('data', () => socket.end(bytes)));
      const answer = await ask(url);
      expect(answer.status).to.equal(0);
      expect(answer.text).to.match(/aborted|hang up|ECONNRESET/);
      expect([answer.outcomes, answer.faults.length]).to.deep.equal([['failed'], 1]);
    });
  }

  it('closes the connection when an answer that has begun stalls', async () => {
    const url = await tcp((socket) =>
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf')),
    );
    const answer = await ask(url, {}, 100);
    expect([answer.status, answer.faults[0]?.[0]]).to.deep.equal([0, 504]);
  });

  it('hangs up on the upstream when the caller has gone', async () => {
    let reached = false;
    let ended = false;
    const url = await tcp((socket) => {
      socket.once('data', () => (reached = true));
      socket.once('close', () => (ended = true));
    });
    await using open = await front(url);
    const socket = await dial(open.port);
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}');
    await until(() => reached);
    socket.destroy();
    await until(() => ended && open.outcomes.length === 1);
    expect([open.outcomes, open.faults]).to.deep.equal([['aborted'], []]);
  });

  it('goes on with the next request after an answer that came before the body was whole', async () => {
    const url = await http((_request, response) => response.writeHead(200).end('early'));
    await using open = await front(url);
    const socket = await dial(open.port);
    const said = heard(socket);
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500000\r\n\r\n{');
    expect(await said).to.match(/^HTTP\/1.1 200 OK[^]*Connection: close[^]*early/i);
    await until(() => open.outcomes.length === 1);
  });

  it('asks whether the upstream is there at most once a second', async () => {
    let dials = 0;
    const url = await tcp(() => (dials += 1));
    await using open = await front(url);
    expect(await Promise.all([open.upstream.unreachable(), open.upstream.unreachable()])).to.deep.equal([null, null]);
    expect(await open.upstream.unreachable()).to.equal(null);
    await until(() => dials === 1);
  });

  it('connects to an IPv6 address, to port 80 where none is given, and to a Unix socket', () => {
    expect(upstreamTarget({ kind: 'http', url: 'http://[::1]' }).address).to.deep.equal({ host: '::1', port: 80 });
    expect(upstreamTarget({ kind: 'unix', path: '/run/hook.sock' })).to.include({ socketPath: '/run/hook.sock' });
  });
});
