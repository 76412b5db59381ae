import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import net, { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createMemoryBudget, type Outcome } from '../../src/webhook/request.ts';
import { createUpstream, upstreamTarget } from '../../src/webhook/upstream.ts';
import { reviewText } from '../support/admission-review.ts';
import { exchange } from '../support/exchange.ts';
import { monotonicClock } from '../support/monotonic-clock.ts';
import { openServer } from '../support/plain-webhook-server.ts';
import { replaceBuiltin } from '../support/replace-builtin.ts';
import { until } from '../support/until.ts';
import { type Call, call, clientAgent, dial, heard } from '../support/webhook-call.ts';

const maxRequestBytes = 1_000_000;
const JSON_OF_2 = { 'content-type': 'application/json', 'content-length': '2' };

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

  const front = async (url: string, timeoutMs = 2_000, rest: Partial<Parameters<typeof createUpstream>[0]> = {}) => {
    const outcomes: Outcome[] = [];
    const faults: [number, string][] = [];
    const upstream = createUpstream({
      upstream: url.startsWith('unix:') ? { kind: 'unix', path: url.slice('unix:'.length) } : { kind: 'http', url },
      timeoutMs,
      maxRequestBytes,
      onAnswered: (outcome, elapsedMs) => {
        expect(elapsedMs).to.be.within(0, 60_000);
        outcomes.push(outcome);
      },
      onFault: (status, reason) => faults.push([status, reason]),
      ...rest,
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
    expect(answer.text).to.equal('more than 1000000 bytes\n');
  });

  it('forwards a body of exactly the largest size, of which only the chunks tell the size', async () => {
    const url = await http((request, response) => void text(request).then((body) => response.end(String(body.length))));
    const answer = await ask(url, {
      body: Buffer.alloc(maxRequestBytes),
      headers: { 'transfer-encoding': 'chunked' },
    });
    expect([answer.status, answer.text]).to.deep.equal([200, '1000000']);
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

  const noHttp = /^upstream: the answer is not HTTP\/1\.1\n$/;
  const rude: readonly (readonly [string, string, RegExp])[] = [
    ['speaks something else', 'SSH-2.0-OpenSSH_9.6\r\n', noHttp],
    ['sends a header that no header may be', 'HTTP/1.1 200 OK\r\nX: \u0001\r\nContent-Length: 0\r\n\r\n', noHttp],
    ['sends a status that none is', 'HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n', noHttp],
    [
      'declares too large an answer',
      'HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n',
      /^upstream: answered with more than 1000000 bytes\n$/,
    ],
  ];
  for (const [what, bytes, reason] of rude) {
    it(`answers 502 when the upstream ${what}`, async () => {
      const url = await tcp((socket) => socket.once('data', () => socket.end(bytes)));
      const answer = await ask(url);
      expect([answer.status, answer.outcomes, answer.faults.length]).to.deep.equal([502, ['failed'], 1]);
      expect(answer.text).to.match(reason);
      expect(answer.headers).to.not.have.property('retry-after');
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

  it('asks once more only with a body that it has held, up to 64 KiB', async () => {
    for (const [bytes, times] of [
      [65_536, 2],
      [65_537, 1],
    ] as const) {
      let calls = 0;
      const url = await tcp((socket) =>
        socket.once('data', () => {
          calls += 1;
          socket.end();
        }),
      );
      const { status, text: reason } = await ask(url, { body: 'x'.repeat(bytes) });
      expect([status, calls]).to.deep.equal([503, times]);
      expect(reason).to.equal('upstream: the connection was closed before the answer was complete\n');
    }
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
      let calls = 0;
      const url = await tcp((socket) => {
        socket.once('data', () => {
          calls += 1;
          socket.end(bytes);
        });
      });
      const answer = await ask(url);
      expect([answer.status, calls]).to.deep.equal([0, 1]);
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

  it('asks again whether the upstream is there when a second has passed, and hangs up each time', async () => {
    using clock = monotonicClock();
    let [dials, ends] = [0, 0];
    const url = await tcp((socket) => {
      dials += 1;
      socket.once('close', () => (ends += 1)).resume();
    });
    await using open = await front(url);
    for (const [waitedMs, times] of [
      [0, 1],
      [999, 1],
      [1, 2],
    ] as const) {
      clock.nowMs += waitedMs;
      expect(await open.upstream.unreachable()).to.equal(null);
      await until(() => dials === times && ends === times);
    }
  });

  it('is not there where no connection is made within a second', async () => {
    const destroyed: string[] = [];
    const timeouts: (readonly [number, () => void])[] = [];
    const socket = Object.assign(new EventEmitter(), {
      setTimeout: (ms: number, end: () => void) => timeouts.push([ms, end]),
      destroy: () => destroyed.push('destroyed'),
    });
    await using open = await front('http://127.0.0.1:9');
    const replaced = replaceBuiltin(net, { connect: () => socket });
    const why = open.upstream.unreachable();
    replaced[Symbol.dispose]();
    const [[ms, end] = [0, () => undefined]] = timeouts;
    end();
    expect([ms, await why, destroyed]).to.deep.equal([1_000, 'no connection within 1000 ms', ['destroyed']]);
  });

  const UNREACHED = 'the reason of the system';
  const CLOSED = 'the connection was closed before the answer was complete';
  const NO_CONNECTION = 'no connection within 2000 ms';
  const connectErrors: readonly (readonly [string, string, boolean])[] = [
    ['ECONNREFUSED', 'nothing listens there (ECONNREFUSED)', true],
    ['ENOENT', 'the socket does not exist (ENOENT)', true],
    ['EACCES', 'no permission to connect to the socket (EACCES)', true],
    ['ETIMEDOUT', NO_CONNECTION, true],
    ['UND_ERR_CONNECT_TIMEOUT', NO_CONNECTION, true],
    ...['ECONNRESET', 'EPIPE'].map((code) => [code, CLOSED, true] as const),
    ...['EAGAIN', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'].map(
      (code) => [code, UNREACHED, true] as const,
    ),
    ['ERR_ASSERTION', 'the answer is not HTTP/1.1', false],
    ['EMFILE', UNREACHED, false],
  ];
  it('that cannot be connected to is a 503 with Retry-After: 0 and the reason, and any other error a 502', async () => {
    const answerTo = async (code: string) => {
      await using open = await front('http://127.0.0.1:9');
      const connect = () => {
        const socket = new net.Socket();
        return socket.destroy(Object.assign(new Error(UNREACHED), { code }));
      };
      const replaced = replaceBuiltin(net, { connect });
      const one = exchange({ headers: JSON_OF_2, complete: false });
      open.upstream.answer(one.request, one.response);
      one.complete('{}');
      await until(() => open.outcomes.length === 1).finally(() => replaced[Symbol.dispose]());
      return await one.text();
    };
    for (const [code, reason, isRepeated] of connectErrors) {
      const answer = await answerTo(code);
      expect(answer, code).to.match(isRepeated ? /^HTTP\/1\.1 503 [^]*Retry-After: 0\r\n/ : /^HTTP\/1\.1 502 /);
      expect(answer.split('\r\n\r\n')[1], code).to.equal(`upstream: ${reason}\n`);
      for (const other of [`X${code}`, `${code}X`])
        expect(await answerTo(other), other).to.match(
          /^HTTP\/1\.1 502 [^]*\r\n\r\nupstream: the reason of the system\n$/,
        );
    }
  });

  it('reports each failure once a minute, by its status and reason', async () => {
    const answers = [
      'HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n',
      'SSH-2.0-OpenSSH_9.6\r\n',
      'SSH-2.0-OpenSSH_9.6\r\n',
    ];
    const url = await tcp((socket) => socket.once('data', () => socket.end(answers.shift() ?? '')));
    await using open = await front(url);
    for (let calls = 0; calls < 3; calls += 1) expect((await call({ port: open.port })).status).to.equal(502);
    expect(open.faults).to.deep.equal([
      [502, 'upstream: answered with more than 1000000 bytes'],
      [502, 'upstream: the answer is not HTTP/1.1'],
    ]);
  });

  it('answers 502 where something fails that nobody foresaw', async () => {
    const onRefused = () => {
      throw new Error('a bug');
    };
    await using open = await front(await http(() => undefined), 2_000, { onRefused });
    const { status, text: reason } = await call({ port: open.port, method: 'PUT' });
    expect([status, reason]).to.deep.equal([502, 'upstream: a bug\n']);
    await until(() => open.outcomes.length === 1);
    expect(open.outcomes).to.deep.equal(['failed']);
  });

  it('is hung up on, also in the middle of a call, when the front is disposed of', async () => {
    let [begun, ended] = [0, 0];
    const url = await tcp((socket) => {
      socket.once('data', () => (begun += 1));
      socket.once('close', () => (ended += 1));
    });
    const { upstream } = await front(url, 60_000);
    const one = exchange({ headers: JSON_OF_2 });
    upstream.answer(one.request, one.response);
    one.complete('{}');
    await until(() => begun === 1);
    await upstream[Symbol.asyncDispose]();
    await until(() => ended === 1);
  });

  describe('in an exchange', () => {
    let asked = 0;
    let release: () => void = () => undefined;
    let url = '';
    beforeEach(async () => {
      asked = 0;
      url = await http((_request, response) => {
        asked += 1;
        release = () => void response.end('ok');
      });
    });
    const begin = (open: Awaited<ReturnType<typeof front>>, headers: Readonly<Record<string, string>> = JSON_OF_2) => {
      const one = exchange({ url: '/?timeout=10s', headers, complete: false });
      open.upstream.answer(one.request, one.response);
      return one;
    };

    it('holds the memory of its body until the exchange has ended', async () => {
      const memory = createMemoryBudget(1_000_000);
      await using open = await front(url, 60_000, { memory });
      const one = begin(open);
      one.complete('{}');
      await until(() => asked === 1);
      expect(memory.heldBytes).to.equal(2);
      release();
      await until(() => open.outcomes.length === 1);
      one.hangUp();
      expect([open.outcomes, memory.heldBytes]).to.deep.equal([['forwarded'], 0]);
    });

    it('is refused where there is no memory for its body', async () => {
      const memory = createMemoryBudget(1_000_000);
      for (const bytes of [750_000, 62_500, 62_500, 62_500, 62_500]) {
        const held = memory.hold(() => expect.fail('evicted what is complete'));
        expect(held.grow(bytes)).to.equal(true);
        held.settle();
      }
      await using open = await front(url, 60_000, { memory });
      const one = begin(open);
      one.complete('{}');
      expect(await one.text()).to.match(/^HTTP\/1\.1 503 [^]*Retry-After: 1\r\n/);
      expect([open.outcomes, asked]).to.deep.equal([['refused'], 0]);
    });

    it('is not asked about a body that broke off', async () => {
      await using open = await front(url);
      const one = begin(open);
      one.request.push('{');
      one.request.destroy();
      await until(() => open.outcomes.length === 1);
      expect([open.outcomes, asked, await one.text()]).to.deep.equal([['aborted'], 0, '']);
      expect(one.response.destroyed).to.equal(true);
    });

    it('is not asked for a caller that went as its body ended, of which nothing is held', async () => {
      const memory = createMemoryBudget(1_000_000);
      await using open = await front(url, 300, { memory });
      const one = begin(open);
      one.request.once('end', () => one.hangUp());
      one.complete('{}');
      await until(() => open.outcomes.length === 1);
      expect([open.outcomes, asked, memory.heldBytes]).to.deep.equal([['aborted'], 0, 0]);
    });

    it('has the time that the caller grants less what its body took', async () => {
      await using open = await front(url, 60_000);
      using clock = monotonicClock();
      const one = begin(open);
      clock.nowMs += 9_400;
      one.complete('{}');
      await until(() => open.outcomes.length === 1);
      expect(await one.text()).to.match(/^HTTP\/1\.1 504 [^]*no answer from the upstream within 9500 ms\n$/);
    });
  });

  it('connects to an IPv6 address, to port 80 where none is given, and to a Unix socket', () => {
    expect(upstreamTarget({ kind: 'http', url: 'http://[::1]' }).address).to.deep.equal({ host: '::1', port: 80 });
    expect(upstreamTarget({ kind: 'unix', path: '/run/hook.sock' })).to.include({ socketPath: '/run/hook.sock' });
  });
});
