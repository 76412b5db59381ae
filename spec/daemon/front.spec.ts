import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { expect } from 'chai';
import { type ApiUnderTest, startApiUnderTest } from '../support/api-under-test.ts';
import { freePort } from '../support/free-port.ts';
import { install } from '../support/installation.ts';
import { scaled, until } from '../support/until.ts';
import { call } from '../support/webhook-call.ts';

describe('a daemon in front of an upstream', function () {
  this.timeout(60_000);
  let api: ApiUnderTest;
  let upstream: Server | null = null;
  before(async () => {
    api = await startApiUnderTest();
  });
  after(() => api[Symbol.asyncDispose]());

  const start = async (port: number): Promise<void> => {
    upstream = createServer((request, response) => {
      request.resume();
      if (request.url?.startsWith('/never') !== true) response.end(`asked for ${request.url ?? ''}`);
    }).listen(port, '127.0.0.1');
    await once(upstream, 'listening');
  };
  const stop = async (): Promise<void> => {
    const closing = upstream;
    upstream = null;
    closing?.closeAllConnections();
    closing?.close();
    if (closing !== null) await once(closing, 'close');
  };
  afterEach(stop);

  it('is ready only while its upstream is there, forwards to it, and counts and tells what fails', async () => {
    const timeoutMs = scaled(1_000);
    const [port, metricsPort] = [await freePort(), await freePort()];
    const env = {
      WEBHOOK_HANDLER: '',
      UPSTREAM_URL: `http://127.0.0.1:${port}`,
      UPSTREAM_TIMEOUT: `${timeoutMs}ms`,
      METRICS_BIND_ADDRESS: `127.0.0.1:${metricsPort}`,
    };
    await using installation = await install(api, { env });
    await using replica = await installation.replica();
    const ready = async () => (await replica.probe('/readyz')).text.trim();
    const ask = (path: string) => call({ port: replica.webhookPort, path, rejectUnauthorized: false });

    const unreachable = await replica.line('Upstream unreachable', { level: 'warn' });
    expect(unreachable).to.include({ upstream: env.UPSTREAM_URL, reason: 'nothing listens there (ECONNREFUSED)' });
    await replica.line('Certificate loaded and verified');
    await until(async () => (await ready()) === 'upstream-unreachable');

    await start(port);
    await until(async () => (await ready()) === 'ok');
    expect(await replica.line('Upstream reachable')).to.include({ upstream: env.UPSTREAM_URL });
    const { status, text } = await ask('/validate?timeout=10s');
    expect([status, text]).to.deep.equal([200, 'asked for /validate?timeout=10s']);
    expect(await ask('/never')).to.include({
      status: 504,
      text: `no answer from the upstream within ${timeoutMs} ms\n`,
    });

    await stop();
    for (let asked = 0; asked < 3; asked += 1)
      expect(await ask('/validate')).to.include({
        status: 503,
        text: 'upstream: nothing listens there (ECONNREFUSED)\n',
      });
    await until(async () => (await ready()) === 'upstream-unreachable');
    for (const status of [503, 504])
      expect(
        replica.lines.filter((line) => line.message === 'Upstream failed' && line['status'] === status),
      ).to.have.length(1);

    const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    expect(metrics).to.match(/admission_requests_total\{[^}]*"forwarded"[^}]*\} 1\n/);
    expect(metrics).to.match(/admission_requests_total\{[^}]*"failed"[^}]*\} 4\n/);
  });
});
