import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectionOptions } from 'node:tls';
import { expect } from 'chai';
import { openServer, pairs } from '../support/plain-webhook-server.ts';
import { scaled, until } from '../support/until.ts';
import { call, clientAgent, dial, heard } from '../support/webhook-call.ts';

const limits = { quietMs: 100 };
const request = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}';
/** What client-go takes for "ask again at once", should a request be on its way. */
const goodbye = 'HTTP/1.1 503 Leaving\r\nRetry-After: 0\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

describe('webhook server, leaving', () => {
  it('answers what is in flight with a goodbye, then is gone', async () => {
    let release: () => void = () => undefined;
    await using open = await openServer({ answer: (_q, response) => (release = () => response.end('late')), limits });
    const agent = clientAgent({ keepAlive: true });
    const pending = call({ port: open.port, agent });
    await until(() => open.server.connections === 1);
    await delay(20);
    const drained = open.server.drain(5_000);
    await delay(20);
    release();
    const { text, headers } = await pending;
    expect([text, headers['connection']]).to.deep.equal(['late', 'close']);
    await drained;
    expect(open.server.connections).to.equal(0);
    agent.destroy();
  });

  it('closes what rests, and does not wait out the grace', async () => {
    await using open = await openServer({ limits });
    const agent = clientAgent({ keepAlive: true });
    await call({ port: open.port, agent });
    const unused = await dial(open.port);
    const closed = heard(unused);
    const start = performance.now();
    await open.server.drain(5_000);
    expect(performance.now() - start).to.be.lessThan(1_000);
    expect(await closed).to.equal(goodbye);
    agent.destroy();
  });

  it('leaves what rests open while it lingers, and answers on it with a goodbye', async () => {
    await using open = await openServer({ limits });
    const rested = await dial(open.port);
    const said = heard(rested);
    await delay(200);
    const drained = open.server.drain(5_000, 1_000);
    await delay(300);
    rested.write(request);
    expect(await said).to.match(/^HTTP\/1.1 200 [^]*Connection: close\r\n[^]*ok/);
    await drained;
  });

  it('answers a request that crosses the goodbye response with just that, without calling the handler or a reset', async () => {
    let asked = 0;
    await using open = await openServer({ answer: () => void (asked += 1), limits });
    const crossing = await dial(open.port);
    await delay(150);
    const drained = open.server.drain(5_000);
    await delay(100);
    // Not having read a byte of it yet, the caller writes; a close would have reset the connection by the second time.
    crossing.write(request);
    await delay(50);
    crossing.write(request);
    await delay(50);
    expect(await heard(crossing)).to.equal(goodbye);
    expect(crossing.errored).to.equal(null);
    await drained;
    expect(asked).to.equal(0);
  });

  it('does not wait for a caller that hears the goodbye and stays', async () => {
    await using open = await openServer({ limits });
    const staying = await dial(open.port, { allowHalfOpen: true } as ConnectionOptions);
    staying.pause();
    await delay(150);
    const start = performance.now();
    await open.server.drain(10_000);
    expect(performance.now() - start).to.be.within(900, 4_000);
    staying.destroy();
  });

  it('destroys connections that are still open after the grace period', async () => {
    await using open = await openServer({ answer: () => undefined });
    const pending = call({ port: open.port }).catch((error: unknown) => (error as Error).message);
    await until(() => open.server.connections === 1);
    const start = performance.now();
    await open.server.drain(200);
    expect(performance.now() - start).to.be.within(190, 1_000);
    expect(await pending).to.match(/hang up|ECONNRESET/);
  });

  it('fails no call under load, while the callers learn during the linger to go elsewhere', async () => {
    await using leaving = await openServer({ limits });
    await using staying = await openServer();
    const agents = [clientAgent({ keepAlive: true }), clientAgent({ keepAlive: false })];
    let port = leaving.port;
    let calls = 0;
    let calling = true;
    const callers = [0, 1, 2, 3].map(async (i) => {
      while (calling) {
        const { status, headers } = await call({ port, agent: agents[i % 2] });
        // A caller that pauses for longer than the quiet time may meet the goodbye, and asks again.
        expect([200, 503]).to.include(status);
        if (status === 503) expect(headers['retry-after']).to.equal('0');
        else calls += 1;
      }
    });
    await until(() => calls > 50);
    const drained = leaving.server.drain(12_000, 3_000);
    const during = calls;
    await until(() => calls > during + 8);
    port = staying.port;
    await drained;
    await until(() => calls > during + 60);
    calling = false;
    await Promise.all(callers);
    expect(leaving.server.connections).to.equal(0);
    for (const agent of agents) agent.destroy();
  });

  describe('retire', () => {
    it('closes the resting connections of an earlier certificate and keeps those of the newest', async () => {
      await using open = await openServer({ limits: { ...limits, headersTimeoutMs: scaled(200) } });
      const old = await dial(open.port);
      const closed = heard(old);
      await open.server.serve(pairs()[1]);
      const young = await dial(open.port);
      await until(() => open.server.connections === 2);
      open.server.retire();
      expect(await closed).to.equal(goodbye);
      await until(() => open.server.connections === 1);
      expect(young.destroyed).to.equal(false);
      young.destroy();
    });

    it('lets a busy connection of an earlier certificate have its answer, which says goodbye', async () => {
      let release: () => void = () => undefined;
      await using open = await openServer({ answer: (_q, response) => (release = () => response.end('late')), limits });
      const agent = clientAgent({ keepAlive: true });
      const pending = call({ port: open.port, agent });
      await until(() => open.server.connections === 1);
      await delay(20);
      await open.server.serve(pairs()[1]);
      open.server.retire();
      await delay(300);
      release();
      expect((await pending).headers['connection']).to.equal('close');
      await until(() => open.server.connections === 0);
      agent.destroy();
    });
  });
});
