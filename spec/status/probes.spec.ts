import { connect } from 'node:net';
import { expect } from 'chai';
import { NEVER } from 'rxjs';
import { type ProbesOptions, startProbes } from '../../src/status/probes.ts';
import { emptyStatus, fullStatus } from '../support/status-of-replica.ts';

describe('probes', () => {
  const open = (options: Partial<ProbesOptions> = {}) =>
    startProbes({
      bind: { host: '127.0.0.1', port: 0 },
      live: () => null,
      reasons: () => [],
      status: () => fullStatus,
      changed$: NEVER,
      page: ({ identity }) => ({ code: 200, contentType: 'text/html', body: `page of ${identity}` }),
      ...options,
    });
  const get = async (port: number, path: string, method = 'GET') => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers: { connection: 'close' } });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };

  it('answers ok while it lives and is ready, also to HEAD and with a query', async () => {
    await using probes = await open();
    for (const path of ['/livez', '/healthz', '/readyz', '/readyz?verbose']) {
      const { status, text } = await get(probes.port, path);
      expect([path, status, text]).to.deep.equal([path, 200, 'ok']);
      expect(await get(probes.port, path, 'HEAD')).to.include({ status: 200, text: '' });
    }
  });

  it('says why it does not live, and why it is not ready, a reason a line', async () => {
    await using probes = await open({
      live: () => 'the streams have ended',
      reasons: () => ['hash-mismatch', 'certificate-rejected: expired'],
    });
    for (const path of ['/livez', '/healthz'])
      expect(await get(probes.port, path)).to.include({ status: 500, text: 'the streams have ended' });
    expect(await get(probes.port, '/readyz')).to.include({
      status: 503,
      text: 'hash-mismatch\ncertificate-rejected: expired',
    });
  });

  it('says after the ok what a ready replica still waits for', async () => {
    await using probes = await open({ notes: () => ['served-elsewhere: neighbour shows z'] });
    expect(await get(probes.port, '/readyz')).to.include({
      status: 200,
      text: 'ok\nserved-elsewhere: neighbour shows z',
    });
    expect(await get(probes.port, '/livez')).to.include({ status: 200, text: 'ok' });
  });

  it('says whether the announced certificate is mounted, for a startup probe', async () => {
    let isMounted = false;
    await using probes = await open({
      isMounted: () => isMounted,
      reasons: () => ['neighbour-unreachable: nothing listens'],
    });
    const text = 'the announced certificate is not mounted';
    expect(await get(probes.port, '/startupz')).to.include({ status: 503, text });
    isMounted = true;
    expect(await get(probes.port, '/startupz')).to.include({ status: 200, text: 'ok' });
  });

  it('streams the status as one line of JSON', async () => {
    await using probes = await open();
    const response = await fetch(`http://127.0.0.1:${probes.port}/events`, { headers: { connection: 'close' } });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    const first = await reader?.read();
    expect(first?.value).to.equal(`data: ${JSON.stringify(fullStatus)}\n\n`);
    await reader?.cancel();
  });

  it('asks anew each time', async () => {
    let reasons: readonly string[] = ['draining'];
    await using probes = await open({ reasons: () => reasons });
    expect((await get(probes.port, '/readyz')).status).to.equal(503);
    reasons = [];
    expect((await get(probes.port, '/readyz')).status).to.equal(200);
  });

  for (const status of [fullStatus, emptyStatus]) {
    it(`tells the status of ${status.identity} as JSON, absent parts as null`, async () => {
      await using probes = await open({ status: () => status });
      const { headers, text } = await get(probes.port, '/status');
      expect(JSON.parse(text)).to.deep.equal(status);
      expect(headers.get('content-type')).to.equal('application/json');
      expect(headers.get('cache-control')).to.equal('no-store');
    });
  }

  it('has a page of the status at the root', async () => {
    await using probes = await open();
    const { headers, text } = await get(probes.port, '/');
    expect([headers.get('content-type'), text]).to.deep.equal(['text/html', 'page of pod-0']);
  });

  it('answers 404 elsewhere, 405 to other methods, and 500 when a part fails', async () => {
    await using probes = await open({
      status: () => {
        throw new Error('broken');
      },
    });
    expect((await get(probes.port, '/nothing')).status).to.equal(404);
    expect((await get(probes.port, '/__proto__')).status).to.equal(404);
    const post = await get(probes.port, '/readyz', 'POST');
    expect([post.status, post.headers.get('allow')]).to.deep.equal([405, 'GET, HEAD']);
    expect(await get(probes.port, '/status')).to.include({ status: 500, text: 'broken\n' });
  });

  it('says where it cannot listen', async () => {
    await using probes = await open();
    const failure = await open({ bind: { host: '127.0.0.1', port: probes.port } }).catch((error: unknown) => error);
    expect(failure)
      .to.be.instanceOf(Error)
      .with.property('message')
      .that.matches(/cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE/);
  });

  it('closes at once, also with open connections', async () => {
    const probes = await open();
    const socket = connect(probes.port, '127.0.0.1');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await get(probes.port, '/livez');
    await probes[Symbol.asyncDispose]();
    await closed;
  });
});
