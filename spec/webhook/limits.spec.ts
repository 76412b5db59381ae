import type { RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { createAdmission } from '../../src/webhook/admission.ts';
import { allowAll } from '../../src/webhook/load-handler.ts';
import { quietLog, reviewText } from '../support/admission-review.ts';
import { openServer } from '../support/plain-webhook-server.ts';
import { scaled, until } from '../support/until.ts';
import { call, clientAgent, dial, heard } from '../support/webhook-call.ts';

/** Short, and yet longer than an honest caller takes here. */
const limits = {
  handshakeTimeoutMs: scaled(250),
  headersTimeoutMs: scaled(200),
  requestTimeoutMs: scaled(250),
  exchangeTimeoutMs: scaled(600),
};
const answer = () => createAdmission({ route: () => allowAll, maxRequestBytes: 10_000, log: quietLog });
const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';

describe('webhook limits', () => {
  const ended = async (says: (socket: TLSSocket) => void, maxMs = scaled(3_000)) => {
    await using open = await openServer({ limits, answer: answer() });
    const socket = await dial(open.port);
    const start = performance.now();
    const text = heard(socket);
    says(socket);
    const line = (await text).split('\r\n')[0];
    expect(performance.now() - start).to.be.lessThan(maxMs);
    expect((await call({ port: open.port, body: reviewText() })).status).to.equal(200);
    await until(() => open.server.connections === 0);
    return { line, kinds: open.connectionErrors.map(({ kind }) => kind) };
  };

  it('checks time limits only while connections are open', async () => {
    const { setInterval: start, clearInterval: stop } = globalThis;
    const running = new Set<unknown>();
    globalThis.setInterval = ((...args: Parameters<typeof start>) => {
      const timer = start(...args);
      running.add(timer);
      return timer;
    }) as typeof start;
    globalThis.clearInterval = (timer) => {
      running.delete(timer);
      stop(timer);
    };
    try {
      await using open = await openServer({ limits, answer: answer() });
      expect(running.size).to.equal(0);
      const socket = await dial(open.port);
      expect(running.size).to.equal(1);
      socket.destroy();
      await until(() => open.server.connections === 0 && running.size === 0);
    } finally {
      Object.assign(globalThis, { setInterval: start, clearInterval: stop });
    }
  });

  it('ends a header that comes too slowly', async () => {
    const { line, kinds } = await ended((socket) => socket.write('POST / HT'));
    expect(line).to.equal('HTTP/1.1 408 Request Timeout');
    expect(kinds).to.deep.equal(['slow-header']);
  });

  it('ends a second header that comes too slowly on a connection that has been answered', async () => {
    const body = reviewText();
    const { kinds } = await ended((socket) => {
      socket.write(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
      socket.once('data', () => setTimeout(() => socket.write('POST'), 20));
    });
    expect(kinds).to.deep.equal(['slow-header']);
  });

  it('ends a body that comes too slowly', async () => {
    const { line, kinds } = await ended((socket) => socket.write(`${head}Content-Length: 100\r\n\r\n{`));
    expect(line).to.equal('HTTP/1.1 408 Request Timeout');
    expect(kinds).to.deep.equal(['slow-body']);
  });

  it('refuses a body that says it is too large, without taking it', async () => {
    const { line } = await ended((socket) => socket.write(`${head}Content-Length: 100000000\r\n\r\n{`));
    expect(line).to.equal('HTTP/1.1 413 Payload Too Large');
  });

  it('reports nothing about the rest of a body that has been refused: a caller stops sending when it has the answer', async () => {
    const rests: Readonly<Record<string, (socket: TLSSocket) => void>> = {
      'its end': (socket) => socket.end(),
      'bytes that are no chunk': (socket) => socket.write(`${'x'.repeat(0x1000)}\r\nno chunk`),
      'a connection that is cut': (socket) => socket.destroy(),
      'its end and more': (socket) => socket.write(`${'x'.repeat(0x1000)}\r\n0\r\n\r\nmore`),
    };
    for (const [rest, stop] of Object.entries(rests)) {
      const { line, kinds } = await ended((socket) => {
        socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n4000\r\n${'x'.repeat(0x3000)}`);
        socket.once('data', () => stop(socket));
      });
      expect(line, rest).to.equal('HTTP/1.1 413 Payload Too Large');
      expect(kinds, rest).to.deep.equal([]);
    }
  });

  it('refuses a body that turns out to be too large, and holds none of it', async () => {
    const { line } = await ended((socket) => {
      socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
      const chunk = `2000\r\n${'x'.repeat(0x2000)}\r\n`;
      for (let sent = 0; sent < 40; sent += 1) socket.write(chunk);
    });
    expect(line).to.equal('HTTP/1.1 413 Payload Too Large');
  });

  it('refuses a header that is too large', async () => {
    const { line, kinds } = await ended((socket) => socket.write(`${head}X: ${'x'.repeat(20_000)}\r\n\r\n`));
    expect(line).to.equal('HTTP/1.1 431 Request Header Fields Too Large');
    expect(kinds).to.deep.equal(['header-too-large']);
  });

  it('answers a caller that has closed its half', async () => {
    const body = reviewText();
    const { line } = await ended((socket) =>
      socket.end(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`),
    );
    expect(line).to.equal('HTTP/1.1 200 OK');
  });

  it('ends an answer that is never taken', async () => {
    await using open = await openServer({
      limits,
      answer: (_request, response) => response.end(Buffer.alloc(20_000_000)),
    });
    const socket = await dial(open.port);
    socket.write('POST / HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => open.connectionErrors.length > 0);
    expect(open.connectionErrors.map(({ kind }) => kind)).to.deep.equal(['slow-reader']);
    await until(() => open.server.connections === 0);
    socket.destroy();
  });

  it('lets a connection rest unused for longer than a header may take', async () => {
    await using open = await openServer({ limits });
    const socket = await dial(open.port);
    await delay(limits.headersTimeoutMs * 3);
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect((await heard(socket)).split('\r\n')[0]).to.equal('HTTP/1.1 200 OK');
    expect(open.connectionErrors).to.deep.equal([]);
  });

  it('does not take a clock that is set forward for a slow caller, nor one that is set back for a quick one', async () => {
    const { now } = Date;
    try {
      const slow: RequestListener = (_, response) => void setTimeout(() => response.end('ok'), 300);
      await using open = await openServer({ limits, answer: slow });
      const answered = call({ port: open.port });
      await delay(50);
      Date.now = () => now() + 3_600_000;
      expect((await answered).status).to.equal(200);
      expect(open.connectionErrors).to.deep.equal([]);

      const socket = await dial(open.port);
      const text = heard(socket);
      socket.write('POST / HT');
      await until(() => open.server.connections === 1);
      Date.now = now;
      expect(await text).to.include('408');
    } finally {
      Date.now = now;
    }
  });

  it('ends a handshake that is never made, and one that is garbage, each told once', async () => {
    await using open = await openServer({ limits });
    const silent = connect(open.port, '127.0.0.1');
    await heard(silent);
    for (let i = 0; i < 3; i += 1) {
      const noise = connect(open.port, '127.0.0.1');
      noise.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      await heard(noise);
    }
    await until(() => open.connectionErrors.length === 4);
    expect(open.connectionErrors.map(({ kind, emit }) => [kind, emit])).to.deep.equal([
      ['handshake-timeout', true],
      ['handshake-failed', true],
      ['handshake-failed', false],
      ['handshake-failed', false],
    ]);
    expect((await call({ port: open.port })).status).to.equal(200);
  });

  it('makes room by those who never ask, not by who has just shaken hands', async () => {
    await using open = await openServer({ limits: { maxConnections: 20 } });
    const idle: Socket[] = [];
    const crowd = async (count: number) => {
      const some = Array.from({ length: count }, () => connect(open.port, '127.0.0.1').on('error', () => undefined));
      idle.push(...some);
      await until(() => some.every(({ connecting }) => !connecting));
    };
    try {
      await crowd(30);
      const socket = await dial(open.port);
      const said = heard(socket);
      await crowd(18);
      socket.write('POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
      expect((await said).split('\r\n')[0]).to.equal('HTTP/1.1 200 OK');
    } finally {
      for (const one of idle) one.destroy();
    }
  });

  /** Connections whose request never arrives in full, and the server that waits for it. */
  const halfSent = async (count: number, bounds: { readonly maxConnections: number; readonly slowMs: number }) => {
    const admit = answer();
    let begun = 0;
    const counted: RequestListener = (request, response) => {
      begun += 1;
      admit(request, response);
    };
    const open = await openServer({ limits: bounds, answer: counted });
    const sockets = await Promise.all(Array.from({ length: count }, () => dial(open.port)));
    const said = sockets.map(heard);
    for (const socket of sockets) socket.write(`${head}Content-Length: 900\r\n\r\n{`);
    await until(() => begun === count);
    return {
      port: open.port,
      said,
      [Symbol.asyncDispose]: async () => {
        for (const socket of sockets) socket.destroy();
        await open[Symbol.asyncDispose]();
      },
    };
  };

  it('makes room by an incomplete request when each place is taken by one', async () => {
    await using open = await halfSent(8, { maxConnections: 8, slowMs: 60_000 });
    expect((await call({ port: open.port, body: reviewText() })).status).to.equal(200);
    expect(await Promise.race(open.said)).to.match(/^HTTP\/1.1 503 [^]*Retry-After: 1\r\n/);
  });

  it('makes room by a request that stays incomplete, not by who has just shaken hands', async () => {
    await using open = await halfSent(3, { maxConnections: 4, slowMs: 20 });
    const honest = await dial(open.port);
    const said = heard(honest);
    await delay(30);
    const newcomer = await dial(open.port);
    const body = reviewText();
    honest.write(`${head}Connection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    expect((await said).split('\r\n')[0]).to.equal('HTTP/1.1 200 OK');
    newcomer.destroy();
  });

  it('makes room for a caller when idle connections have taken every place', async () => {
    await using open = await openServer({ limits: { maxConnections: 20 } });
    const agent = clientAgent({ keepAlive: true });
    expect((await call({ port: open.port, agent })).status).to.equal(200);
    const idle: Socket[] = [];
    for (let i = 0; i < 60; i += 1) {
      const socket = i % 2 === 0 ? await dial(open.port) : connect(open.port, '127.0.0.1');
      socket.on('error', () => undefined);
      idle.push(socket);
    }
    expect((await call({ port: open.port })).status).to.equal(200);
    const kept = await call({ port: open.port, agent });
    expect(kept.status).to.equal(200);
    expect(open.server.connections).to.be.at.most(20);
    const told = open.connectionErrors.filter(({ kind, emit }) => emit && kind === 'connection-limit');
    expect(told).to.have.length(1);
    for (const socket of idle) socket.destroy();
    agent.destroy();
  });
});
