import { once } from 'node:events';
import fs from 'node:fs';
import { mkdir, realpath, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { expect } from 'chai';
import { firstValueFrom, NEVER, of, throwError } from 'rxjs';
import type { Config } from '../../src/config/config.ts';
import { after, openWithin, startDaemon, startFields } from '../../src/daemon/daemon.ts';
import { replicaPolicy } from '../../src/daemon/ports.ts';
import { allow } from '../../src/webhook/handler-api.ts';
import type { TlsEndpoint } from '../../src/webhook/serving.ts';
import { Problem } from '../../streams/problem.ts';
import { reviewText } from '../support/admission-review.ts';
import { atomicWriter } from '../support/atomic-writer.ts';
import { freePort } from '../support/free-port.ts';
import { type MountedPair, pki } from '../support/pki.ts';
import { replaceBuiltin } from '../support/replace-builtin.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';
import { call } from '../support/webhook-call.ts';
import { type ClusterOfOne, clusterOfOne, type ClusterOfOneOptions, configured } from './cluster-of-one.ts';

/** Long ago, on the monotonic clock. */
const LONG_AGO_MS = -1_000_000;
const WEBHOOK = { WEBHOOK_BIND_ADDRESS: '127.0.0.1:0' };

/** What an embedding program would serve with; it keeps how it was told to drain. */
const embedded = (address: TlsEndpoint['address'] = null) => {
  const drained: (readonly (number | undefined)[])[] = [];
  const endpoint: TlsEndpoint = {
    serve: () => Promise.resolve(),
    retire: () => undefined,
    handshake: () => Promise.reject(new Error('no server')),
    drain: (...times) => (drained.push(times), Promise.resolve()),
    address,
  };
  return { endpoint, drained };
};

const get = async (port: number, path: string) => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } });
  return { status: response.status, lines: (await response.text()).split('\n') };
};

const filesOf = ({ certificate, key, trust }: MountedPair) => ({
  'tls.crt': certificate,
  'tls.key': key,
  'ca.crt': trust,
});

const settled = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);

describe('the first line of a daemon', () => {
  const fields = (env: Readonly<Record<string, string>>, rest: Partial<Parameters<typeof startFields>[1]> = {}) =>
    startFields(configured(env), { version: '1.2.3', ...rest });

  it('says which program this is, what it keeps, and where it listens', () => {
    const env = {
      NAME: 'orders',
      CA_BUNDLE_TARGETS: 'validatingwebhookconfiguration/a,mutatingwebhookconfiguration/b',
    };
    expect(fields(env)).to.deep.equal({
      version: '1.2.3',
      identity: 'webhook-0',
      namespace: 'webhooks',
      lease: 'orders',
      secret: 'orders-cert',
      service: 'orders',
      issuer: 'self-signed',
      targets: ['validatingwebhookconfiguration/a', 'mutatingwebhookconfiguration/b'],
      answeredBy: 'builtin:allow',
      webhook: ':9443',
      probes: ':8081',
      metrics: ':8080',
    });
  });

  it('has no address that is not in use', () => {
    expect(fields({ METRICS_BIND_ADDRESS: '0' })).to.include({ metrics: null, probes: ':8081', webhook: ':9443' });
    const served = { WEBHOOK_HANDLER: '', SERVING_ADDRESS: '127.0.0.1:9443' };
    expect(fields(served)).to.include({ webhook: null, probes: ':8081', metrics: ':8080' });
    const { endpoint } = embedded();
    expect(fields({}, { endpoint })).to.include({ webhook: null, probes: null, metrics: null });
  });

  it('names who answers', () => {
    const handler = () => allow();
    expect(fields({}, { handler })['answeredBy']).to.equal('the embedding program');
    const upstream = { WEBHOOK_HANDLER: '', UPSTREAM_URL: 'http://127.0.0.1:8443' };
    expect(fields(upstream, { handler })['answeredBy']).to.equal('http://127.0.0.1:8443');
    const served = { WEBHOOK_HANDLER: '', SERVING_ADDRESS: '127.0.0.1:9443' };
    expect(fields(served, { handler })['answeredBy']).to.equal('127.0.0.1:9443');
    const nobody: Config = { ...configured(), handlerModule: null };
    expect(startFields(nobody, { version: '1' })['answeredBy']).to.equal('none');
  });
});

describe('the policy of a daemon', () => {
  it('is its configuration', () => {
    const times = {
      TICK_INTERVAL: '3s',
      CERT_TIMEOUT: '4s',
      LEASE_DURATION: '40s',
      RENEW_DEADLINE: '20s',
      RETRY_PERIOD: '5s',
      WATCH_STALE_AFTER: '30s',
      RENEW_BEFORE: '6d',
      CA_RENEW_BEFORE: '70d',
      CA_OVERLAP: '8m',
      TRUST_SETTLE: '9s',
    };
    const config = configured(times);
    expect(replicaPolicy(config)).to.deep.equal({
      identity: 'webhook-0',
      names: config.serviceNames,
      issuer: config.issuer,
      tickMs: 3_000,
      certTimeoutMs: 4_000,
      kubeletNudge: true,
      reviewEveryMs: null,
      leaderElection: true,
      renewDeadlineMs: 20_000,
      retryPeriodMs: 5_000,
      staleAfterMs: 30_000,
      quietAfterMs: 150_000,
      renewBeforeMs: 6 * 86_400_000,
      caRenewBeforeMs: 70 * 86_400_000,
      caOverlapMs: 480_000,
      trustSettleMs: 9_000,
    });
    const off = configured({ KUBELET_NUDGE: 'false', LEADER_ELECTION: 'false' });
    expect(replicaPolicy(off)).to.include({ kubeletNudge: false, leaderElection: false });
  });

  it('takes a watch for dead after 2.5 times WATCH_STALE_AFTER, and not before bookmarks may come', () => {
    for (const [stale, quietAfterMs] of [
      ['10s', 150_000],
      ['60s', 150_000],
      ['2m', 300_000],
    ] as const)
      expect(replicaPolicy(configured({ WATCH_STALE_AFTER: stale })), stale).to.include({ quietAfterMs });
  });

  it('looks at what another server shows at each tick', () => {
    const served = configured({ WEBHOOK_HANDLER: '', SERVING_ADDRESS: '127.0.0.1:9443', TICK_INTERVAL: '7s' });
    expect(replicaPolicy(served)).to.include({ reviewEveryMs: 7_000 });
  });
});

describe('what is opened within a limit', () => {
  const opening = () => {
    const closed = Promise.withResolvers<void>();
    const resource: AsyncDisposable = {
      [Symbol.asyncDispose]: () => {
        closed.resolve();
        return Promise.resolve();
      },
    };
    return { resource, closed: closed.promise };
  };
  const never = (): Problem => {
    throw new Error('this was in time');
  };

  it('is returned as soon as it is open, with a limit and without one', async () => {
    const { resource } = opening();
    expect(await openWithin(Promise.resolve(resource), 10_000, never)).to.equal(resource);
    expect(await openWithin(sleep(20, resource), null, never)).to.equal(resource);
  });

  it('fails as it failed', async () => {
    const broken = new Problem('no handler');
    for (const limit of [10_000, null])
      expect(await settled(openWithin(Promise.reject(broken), limit, never))).to.equal(broken);
  });

  it('is refused after the limit, and closed when it opens later', async () => {
    const { resource, closed } = opening();
    const late = Promise.withResolvers<AsyncDisposable>();
    const problem = new Problem('too late');
    expect(await settled(openWithin(late.promise, 1, () => problem))).to.equal(problem);
    late.resolve(resource);
    await closed;
  });

  it('may fail after the limit, which nobody hears of', async () => {
    const late = Promise.withResolvers<AsyncDisposable>();
    expect(await settled(openWithin(late.promise, 1, () => new Problem('too late')))).to.be.instanceOf(Problem);
    late.reject(new Error('unheard'));
    await new Promise(setImmediate);
  });

  it('is what `after` does not do once it is disposed of', async () => {
    const happened: string[] = [];
    after(1, () => happened.push('disposed'))[Symbol.dispose]();
    await new Promise<void>((resolve) => {
      after(2, resolve);
    });
    expect(happened).to.deep.equal([]);
  });
});

describe('a daemon in this process', () => {
  const opened: AsyncDisposableStack[] = [];
  afterEach(async () => {
    for (const stack of opened.splice(0)) await stack.disposeAsync();
  });

  interface Started extends ClusterOfOne {
    readonly daemon: Awaited<ReturnType<typeof startDaemon>>;
    readonly probe: (path: string) => ReturnType<typeof get>;
    readonly events: (signal: AbortSignal, onText: (text: string) => void) => Promise<void>;
    readonly metrics: () => Promise<readonly string[]>;
    readonly stop: () => Promise<void>;
  }

  /** Reads server-sent events until it is aborted. */
  const follow = async (port: number, signal: AbortSignal, onText: (text: string) => void): Promise<void> => {
    const { body } = await fetch(`http://127.0.0.1:${port}/events`, { signal });
    for await (const text of body!.pipeThrough(new TextDecoderStream())) onText(text);
  };

  const started = async (
    env: Readonly<Record<string, string>> = {},
    rest: Parameters<typeof startDaemon>[1] | object = {},
    options: ClusterOfOneOptions = {},
  ): Promise<Started> => {
    const [probePort, metricsPort] = [await freePort(), await freePort()];
    const cluster = clusterOfOne(options);
    cluster.mayClose.resolve();
    const config = configured({
      HEALTH_PROBE_BIND_ADDRESS: `127.0.0.1:${probePort}`,
      METRICS_BIND_ADDRESS: `127.0.0.1:${metricsPort}`,
      LEADER_ELECTION: 'false',
      SHUTDOWN_GRACE: '1s',
      ...WEBHOOK,
      ...env,
    });
    const daemon = await startDaemon(config, { ...cluster.dependencies, ...rest });
    let stopping: Promise<void> | null = null;
    const stop = (): Promise<void> => (stopping ??= daemon.stop());
    const stack = new AsyncDisposableStack();
    stack.defer(stop);
    opened.push(stack);
    return {
      ...cluster,
      daemon,
      probe: (path) => get(probePort, path),
      events: (...how) => follow(probePort, ...how),
      metrics: async () => (await get(metricsPort, '/metrics')).lines,
      stop,
    };
  };

  /** The mounted Secret, for as long as the spec takes. */
  const mounted = async (pair: MountedPair): Promise<string> => {
    const directory = await temporaryDirectory();
    const stack = new AsyncDisposableStack();
    stack.use(directory);
    // Before the daemon that reads it is stopped, it stays.
    opened.push(stack);
    await atomicWriter(directory.path).write(filesOf(pair));
    return directory.path;
  };

  it('answers its probes while it waits for credentials, with what it waits for and what it has not seen yet', async () => {
    const port = await freePort();
    const config = configured({
      HEALTH_PROBE_BIND_ADDRESS: `127.0.0.1:${port}`,
      METRICS_BIND_ADDRESS: '0',
      WEBHOOK_HANDLER: '',
      UPSTREAM_URL: 'http://127.0.0.1:1',
    });
    const client = Promise.withResolvers<never>();
    const { dependencies, line, lines } = clusterOfOne();
    const starting = settled(startDaemon(config, { ...dependencies, client: () => client.promise }));
    const ready = await get(port, '/readyz');
    expect(ready.status).to.equal(503);
    expect(ready.lines.slice(0, 3)).to.deep.equal(['credentials-loading', 'no-announcement', 'upstream-unreachable']);
    expect((await get(port, '/livez')).status).to.equal(200);
    expect(await line('Still starting')).to.deep.equal({
      level: 'info',
      message: 'Still starting',
      fields: { waitingFor: 'the credentials of the Kubernetes API', event: 'start-slow' },
    });
    const problem = new Problem('no credentials');
    client.reject(problem);
    expect(await starting).to.equal(problem);
    expect(lines.filter(({ message }) => message === 'Still starting')).to.have.length(1);
    expect(await settled(get(port, '/livez'))).to.be.instanceOf(TypeError);
  });

  it('counts CERT_TIMEOUT from the start of the process, and says what it was waiting for', async () => {
    const { dependencies, lines } = clusterOfOne();
    const { endpoint } = embedded();
    const client = () => new Promise<never>(() => undefined);
    const late = { ...dependencies, endpoint, client, startedMs: LONG_AGO_MS };
    expect(await settled(startDaemon(configured({ CERT_TIMEOUT: '1m' }), late)))
      .to.be.instanceOf(Problem)
      .with.property('message')
      .that.equals('not started within CERT_TIMEOUT, waiting for the credentials of the Kubernetes API');
    expect(lines.at(-1)).to.deep.equal({
      level: 'error',
      message: 'Timeout waiting for webhook certificates',
      fields: {
        timeoutSeconds: 60,
        reason: 'credentials-loading: the credentials of the Kubernetes API',
        event: 'certificate-timeout',
      },
    });
    expect(lines.map(({ message }) => message)).to.not.include('Still starting');
  });

  it('names the handler that it waits for', async () => {
    await using folder = await temporaryDirectory();
    const handler = join(folder.path, 'hangs.mjs');
    await writeFile(handler, 'await new Promise(() => {});\n');
    const port = await freePort();
    const env = { WEBHOOK_HANDLER: handler, CERT_TIMEOUT: '1s', METRICS_BIND_ADDRESS: '0' };
    const { dependencies } = clusterOfOne();
    const config = configured({ ...env, HEALTH_PROBE_BIND_ADDRESS: `127.0.0.1:${port}` });
    const starting = settled(startDaemon(config, dependencies));
    await until(async () => (await get(port, '/readyz')).lines[0] === 'handler-loading');
    expect(await starting)
      .to.be.instanceOf(Problem)
      .with.property('message')
      .that.equals(`not started within CERT_TIMEOUT, waiting for WEBHOOK_HANDLER ${handler}`);
  });

  it('has failed when no certificate is served within CERT_TIMEOUT, and says why it was not ready', async () => {
    const { endpoint } = embedded();
    const { daemon, lines } = await started({ CERT_TIMEOUT: '1m' }, { endpoint, startedMs: LONG_AGO_MS });
    await daemon.failed;
    expect(lines.find(({ message }) => message === 'Timeout waiting for webhook certificates')?.fields).to.include({
      timeoutSeconds: 60,
      reason: 'no-announcement',
    });
  });

  it('waits for no time limit without CERT_TIMEOUT', async () => {
    const { endpoint } = embedded();
    const env = { CERT_TIMEOUT: '0', TICK_INTERVAL: '50ms' };
    const { lines, line } = await started(env, { endpoint, startedMs: LONG_AGO_MS });
    await line('No certificate announced yet');
    await line('Tick checked');
    expect(lines.map(({ message }) => message)).to.not.include('Timeout waiting for webhook certificates');
  });

  it('has failed with a bug, and is not alive any more: the kubelet is to restart it', async () => {
    const bug = new TypeError('a bug');
    const { daemon, probe, stop } = await started({}, {}, { answer: () => throwError(() => bug) });
    expect(await daemon.failed.catch((error: unknown) => error)).to.equal(bug);
    const { status, lines } = await probe('/livez');
    expect({ status, first: lines[0] }).to.deep.equal({ status: 500, first: 'the streams have ended' });
    await stop();
  });

  it('serves what is announced and mounted, says where, and completes what it tells when it has stopped', async () => {
    const pair = await pki.pair({ names: configured().serviceNames });
    const { daemon, probe, stop, line } = await started(
      { CERT_DIR: await mounted(pair), NAME: '' },
      {},
      { announced: () => pair.hash },
    );
    expect(daemon.port()).to.equal(null);
    const seen: string[] = [];
    daemon.readiness$.subscribe({ complete: () => seen.push('readiness') });
    daemon.certificate$.subscribe({ complete: () => seen.push('certificate') });
    expect((await firstValueFrom(daemon.certificate$)).hash).to.equal(pair.hash);
    expect(daemon.port()).to.be.a('number');
    await line('Ready');
    expect(await probe('/readyz')).to.deep.equal({ status: 200, lines: ['ok'] });
    expect(await probe('/startupz')).to.include({ status: 200 });
    const status = JSON.parse((await probe('/status')).lines.join('')) as Readonly<Record<string, unknown>>;
    expect(status).to.include({ version: 'spec', namespace: 'webhooks', identity: 'webhook-0', role: 'follower' });
    expect(status).to.include({ lease: '8377a775.my.company.com', ready: true, acknowledges: true, neighbour: null });
    expect(status['renewsAt']).to.be.a('string');
    await stop();
    expect(seen.toSorted()).to.deep.equal(['certificate', 'readiness']);
  });

  it('says of a certificate that is rejected whether another is served meanwhile', async () => {
    const pair = await pki.pair({ names: ['other.webhooks.svc'] });
    const { line } = await started({ CERT_DIR: await mounted(pair) }, {}, { announced: () => pair.hash });
    const { level, fields } = await line('Certificate rejected, no certificate is served yet');
    expect(level).to.equal('warn');
    expect(fields['hash']).to.equal(pair.hash);

    const good = await pki.pair({ names: configured().serviceNames });
    let announced = good;
    await using folder = await temporaryDirectory();
    const volume = atomicWriter(folder.path);
    await volume.write(filesOf(good));
    const serving = await started(
      { CERT_DIR: folder.path, TICK_INTERVAL: '50ms' },
      {},
      { announced: () => announced.hash },
    );
    await serving.line('Ready');
    announced = pair;
    await volume.write(filesOf(pair));
    expect((await serving.line('Certificate rejected, keeping the one being served')).fields['hash']).to.equal(
      pair.hash,
    );
    expect(await serving.probe('/readyz')).to.include({ status: 200 });
    await serving.stop();
  });

  it('tells those who follow its state that it is ready, raises Events and counts what it has loaded', async () => {
    const pair = await pki.pair({ names: configured().serviceNames });
    const raised: unknown[] = [];
    const { probe, events, metrics, line } = await started(
      { CERT_DIR: await mounted(pair) },
      {},
      {
        announced: () => pair.hash,
        answer: ({ method, path, body }) => {
          if (path.endsWith('/status')) return of({ metadata: { uid: 'u' } });
          if (method === 'POST' && path.endsWith('/events')) raised.push((body as { reason: string }).reason);
          return null;
        },
      },
    );
    let told = '';
    const following = new AbortController();
    const reading = events(following.signal, (text) => (told += text));
    await line('Ready');
    await until(() => told.includes('"ready":true'));
    following.abort();
    await settled(reading);
    await until(() => raised.length > 0);
    expect(raised).to.include('CertificateAdopted');
    expect(await metrics()).to.include('webhook_certd_loads_total{result="served"} 1');
    expect(await probe('/readyz')).to.include({ status: 200 });
  });

  it('reads the mount and CLIENT_CA_FILE again when it is asked to, and not only at the tick', async () => {
    const pair = await pki.pair({ names: configured().serviceNames });
    await using folder = await temporaryDirectory();
    const [directory, file] = [join(folder.path, 'certs'), join(folder.path, 'clients.pem')];
    await Promise.all([mkdir(directory), writeFile(file, pair.trust)]);
    const env = { CERT_DIR: directory, CLIENT_CA_FILE: file, TICK_INTERVAL: '1h' };
    // Nothing else tells that a file has changed.
    const blind = replaceBuiltin(fs, {
      watch: () => {
        throw Object.assign(new Error('no inotify'), { code: 'ENOSYS' });
      },
    });
    try {
      const { daemon, line, lines, stop } = await started(env, {}, { announced: () => pair.hash });
      const { fields: watching } = await line('Directory watch is not available, polling');
      expect(watching).to.have.all.keys('kind', 'detail', 'event');
      expect(watching['detail']).to.include('ENOSYS');
      expect(watching['event']).to.equal('directory-watch-unavailable');
      await line('Not ready');
      await atomicWriter(directory).write(filesOf(pair));
      daemon.refresh();
      await line('Ready');
      await writeFile(file, (await pki.pair()).trust);
      daemon.refresh();
      expect((await line('Client CA bundle changed')).fields).to.deep.equal({ file, event: 'client-ca-changed' });
      await writeFile(file, 'no certificate');
      daemon.refresh();
      const { level, fields } = await line('Client CA bundle rejected, keeping the one in use');
      expect(level).to.equal('warn');
      expect(fields).to.include({ file, event: 'client-ca-rejected' });
      expect(fields['reason']).to.be.a('string');
      expect(lines.map(({ message }) => message)).to.not.include('Tick checked');
      await stop();
    } finally {
      blind[Symbol.dispose]();
    }
  });

  it('reads CLIENT_CA_FILE again at each tick', async () => {
    await using folder = await temporaryDirectory();
    const file = join(folder.path, 'clients.pem');
    await writeFile(file, (await pki.pair()).trust);
    const { line, stop } = await started({ CLIENT_CA_FILE: file, TICK_INTERVAL: '50ms' });
    await line('Tick checked');
    await writeFile(file, (await pki.pair()).trust);
    await line('Client CA bundle changed');
    await stop();
  });

  it('drains for SHUTDOWN_GRACE, and goes on accepting for a quarter of it, at most 5 s, where it listens', async () => {
    for (const [grace, address, times] of [
      ['8s', { address: '127.0.0.1', family: 'IPv4', port: 1 }, [8_000, 2_000]],
      ['1m', { address: '127.0.0.1', family: 'IPv4', port: 1 }, [60_000, 5_000]],
      ['8s', null, [8_000, 0]],
    ] as const) {
      const { endpoint, drained } = embedded(address);
      const { stop } = await started({ SHUTDOWN_GRACE: grace }, { endpoint });
      await stop();
      expect(drained).to.deep.equal([times]);
    }
  });

  it('does not wait longer than the API server takes to answer the release of the Lease', async () => {
    const { endpoint } = embedded();
    const { stop, line, happened } = await started({ LEADER_ELECTION: 'true' }, { endpoint });
    await line('Leadership acquired');
    // Both on this event loop: a busy machine delays the one as the other.
    expect(await Promise.race([stop(), sleep(3_000, 'too long')])).to.equal(undefined);
    expect(happened[0]).to.equal('Lease released');
  }).timeout(60_000);

  it('does not wait for ever for an API server that does not answer the release of the Lease', async () => {
    const { endpoint } = embedded();
    const isRelease = (body: unknown) => JSON.stringify(body).includes('"holderIdentity":""');
    const { stop, line, lines } = await started(
      { LEADER_ELECTION: 'true', CERT_TIMEOUT: '0' },
      { endpoint },
      { answer: ({ body }) => (body !== undefined && isRelease(body) ? NEVER : null) },
    );
    await line('Leadership acquired');
    const sinceMs = performance.now();
    await stop();
    expect(performance.now() - sinceMs).to.be.above(3_000);
    // It has started long before.
    expect(lines.map(({ message }) => message)).to.not.include('Still starting');
  }).timeout(60_000);

  it('says once that its upstream can be reached, and once that it cannot any more', async () => {
    const listening = async (port: number): Promise<Server> => {
      const server = createServer((socket) => socket.destroy()).listen(port, '127.0.0.1');
      await once(server, 'listening');
      return server;
    };
    const upstream = await listening(0);
    const { port } = upstream.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}`;
    const { lines, line, probe } = await started({ WEBHOOK_HANDLER: '', UPSTREAM_URL: url, TICK_INTERVAL: '50ms' });
    const ticks = () => lines.filter(({ message }) => message === 'Tick checked').length;
    const told = () => lines.filter(({ message }) => message.startsWith('Upstream ')).map(({ message }) => message);
    expect((await line('Upstream reachable')).fields).to.deep.equal({ upstream: url, event: 'upstream-reachable' });
    expect((await probe('/readyz')).lines).to.not.include('upstream-unreachable');
    const before = ticks();
    await until(() => ticks() > before + 3);
    expect(told()).to.deep.equal(['Upstream reachable']);
    upstream.close();
    const { level, fields } = await line('Upstream unreachable');
    expect(level).to.equal('warn');
    expect(fields).to.include({ upstream: url, event: 'upstream-unreachable' });
    expect(fields['reason']).to.be.a('string');
    expect((await probe('/readyz')).lines).to.include('upstream-unreachable');
    const after = ticks();
    await until(() => ticks() > after + 3);
    expect(told()).to.deep.equal(['Upstream reachable', 'Upstream unreachable']);
    const again = await listening(port);
    await until(() => told().length === 3);
    again.close();
  });

  it('counts the answers of the API server, and those that never came as code 0', async () => {
    const { response$, metrics } = await started();
    response$.next({ verb: 'get', resource: 'leases', code: 200 } as never);
    response$.next({ verb: 'get', resource: 'leases', code: null } as never);
    const lines = await metrics();
    for (const code of ['200', '0'])
      expect(lines).to.include(`webhook_certd_api_requests_total{verb="get",resource="leases",code="${code}"} 1`);
  });

  it('counts and tells what goes wrong on its connections, a peer that hangs up at debug only', async () => {
    const pair = await pki.pair({ names: configured().serviceNames });
    const { daemon, lines, line, metrics } = await started(
      { CERT_DIR: await mounted(pair) },
      {},
      { announced: () => pair.hash },
    );
    await line('Ready');
    const dialled = async (text: string): Promise<void> => {
      const socket = connect(daemon.port() ?? 0, '127.0.0.1');
      await once(socket, 'connect');
      socket.end(text);
      socket.resume().on('error', () => undefined);
      await once(socket, 'close');
    };
    await dialled('GET / HTTP/1.1\r\n\r\n');
    await dialled('');
    const told = () => lines.filter(({ message }) => message === 'Connection error');
    await until(() => told().length === 2);
    for (const { level, fields } of told()) {
      expect(level).to.equal(fields['kind'] === 'handshake-aborted' ? 'debug' : 'warn');
      expect(fields).to.include({ suppressed: 0, event: 'connection-error' });
    }
    expect(new Set(told().map(({ fields }) => fields['kind'])).size).to.equal(2);
    const counted = (await metrics()).filter((each) => each.startsWith('webhook_certd_connection_errors_total'));
    for (const { fields } of told())
      expect(counted).to.include(`webhook_certd_connection_errors_total{kind="${String(fields['kind'])}"} 1`);
    // The same again within a minute is counted and not told.
    await dialled('GET / HTTP/1.1\r\n\r\n');
    await until(async () => /connection_errors_total\{kind="[^"]+"\} 2$/m.test((await metrics()).join('\n')));
    expect(told()).to.have.length(2);
  });

  it('has no probes, metrics or server of its own in an embedding program', async () => {
    const { endpoint } = embedded();
    const { probe, daemon } = await started({}, { endpoint });
    expect(await settled(probe('/livez'))).to.be.instanceOf(TypeError);
    expect(daemon.port()).to.equal(null);
  });

  it('says what another server shows, beside the reasons why it is not ready', async () => {
    const pair = await pki.pair({ names: configured().serviceNames });
    const port = await freePort();
    const env = { WEBHOOK_HANDLER: '', SERVING_ADDRESS: `127.0.0.1:${port}`, CERT_DIR: await mounted(pair) };
    const { probe } = await started({ ...env, TICK_INTERVAL: '50ms' }, {}, { announced: () => pair.hash });
    await until(async () => (await probe('/readyz')).lines.some((each) => each.startsWith('neighbour-unreachable')));
    expect(JSON.stringify((await probe('/status')).lines)).to.include(`127.0.0.1:${port}`);
  });

  /** One call of the webhook over TLS, as the API server makes it. */
  const review = (port: number | null, { trust }: MountedPair, body: string): Promise<number> =>
    call({
      port: port ?? 0,
      ca: trust.toString(),
      servername: 'kubetemplater-webhook-service.webhooks.svc',
      path: '/validate?timeout=10s',
      body,
    }).then(({ status }) => status);

  it('begins by saying so, and counts the verdicts of its handler with the seconds that they took', async () => {
    const pair = await pki.pair({ names: configured().serviceNames });
    const env = { CERT_DIR: await mounted(pair), MAX_REQUEST_BYTES: '64KiB' };
    const handler = () => sleep(20).then(() => allow());
    const { daemon, line, lines, metrics } = await started(env, { handler }, { announced: () => pair.hash });
    expect(lines[0]).to.include({ level: 'info', message: 'Starting' });
    expect(lines[0]?.fields).to.include({ event: 'starting', version: 'spec', answeredBy: 'the embedding program' });
    await line('Ready');
    expect(await review(daemon.port(), pair, reviewText())).to.equal(200);
    expect(await review(daemon.port(), pair, reviewText({ object: { filler: 'x'.repeat(70_000) } }))).to.equal(413);
    const text = await metrics();
    for (const [outcome, count] of [
      ['allowed', 1],
      ['refused', 1],
    ] as const)
      expect(text).to.include(`webhook_certd_admission_requests_total{outcome="${outcome}"} ${count}`);
    const seconds = text
      .map((each) => /^webhook_certd_admission_duration_seconds_sum (\S+)$/.exec(each)?.[1])
      .find(Boolean);
    expect(Number(seconds)).to.be.within(0.015, 15);
    expect(text).to.include('webhook_certd_ready 1');
    for (const name of ['served', 'mounted'])
      expect(
        text.some((each) => each.startsWith(`webhook_certd_${name}_certificate_expiry_timestamp_seconds `)),
      ).to.equal(true);
  });

  it('tells what its upstream fails at, and what it refuses to forward', async () => {
    const pair = await pki.pair({ names: configured().serviceNames });
    const upstream = { WEBHOOK_HANDLER: '', UPSTREAM_URL: `http://127.0.0.1:${await freePort()}` };
    const env = { ...upstream, CERT_DIR: await mounted(pair), MAX_REQUEST_BYTES: '64KiB' };
    const { daemon, line } = await started(env, {}, { announced: () => pair.hash });
    await line('Certificate loaded and verified');
    expect(await review(daemon.port(), pair, reviewText())).to.equal(503);
    const failed = await line('Upstream failed');
    expect(failed.level).to.equal('warn');
    expect(failed.fields).to.include({ status: 503, suppressed: 0, event: 'upstream-failed' });
    expect(failed.fields['reason']).to.be.a('string');
    expect(await review(daemon.port(), pair, reviewText({ object: { filler: 'x'.repeat(70_000) } }))).to.equal(413);
    const refused = await line('Admission request refused');
    expect(refused.level).to.equal('warn');
    expect(refused.fields).to.include({ status: 413, suppressed: 0, event: 'admission-refused' });
    expect(refused.fields['reason']).to.be.a('string');
  });

  it('gives its upstream UPSTREAM_TIMEOUT to answer', async () => {
    const pair = await pki.pair({ names: configured().serviceNames });
    await using silent = createServer((socket) => socket.resume().on('error', () => undefined)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const upstream = { WEBHOOK_HANDLER: '', UPSTREAM_URL: `http://127.0.0.1:${port}`, UPSTREAM_TIMEOUT: '1s' };
    const { daemon, line, stop } = await started(
      { ...upstream, CERT_DIR: await mounted(pair) },
      {},
      { announced: () => pair.hash },
    );
    await line('Ready');
    expect(await review(daemon.port(), pair, reviewText())).to.equal(504);
    await stop();
  });

  it('warns of a certificate that is mounted with subPath, and of no other', async () => {
    const pair = await pki.pair({ names: configured().serviceNames });
    await using folder = await temporaryDirectory();
    await writeFile(join(folder.path, 'tls.crt'), pair.certificate);
    const { endpoint } = embedded();
    const message = 'Certificate directory is a subPath mount and will never be updated';
    const plain = await started({ CERT_DIR: folder.path }, { endpoint });
    expect(plain.lines.map((each) => each.message)).to.not.include(message);
    await plain.stop();
    const mountinfo = `781 770 0:62 /..2026_01_31_10_00_00.1234567890/certs ${await realpath(folder.path)} ro,relatime - tmpfs tmpfs rw\n`;
    const { readFileSync } = fs;
    const replaced = replaceBuiltin(fs, {
      readFileSync: (path: string, ...rest: [BufferEncoding]) =>
        path === '/proc/self/mountinfo' ? mountinfo : readFileSync(path, ...rest),
    });
    try {
      const { lines, stop } = await started({ CERT_DIR: folder.path, NAME: 'orders' }, { endpoint });
      expect(lines.find((each) => each.message === message)).to.deep.equal({
        level: 'warn',
        message,
        fields: {
          directory: folder.path,
          remedy: 'mount Secret orders-cert as a whole directory, without subPath',
          event: 'sub-path-mount',
        },
      });
      await stop();
    } finally {
      replaced[Symbol.dispose]();
    }
  });

  it('shows its state as a page', async () => {
    const { probe } = await started();
    const { status, lines } = await probe('/');
    expect(status).to.equal(200);
    expect(lines.join('\n')).to.include('<!doctype html>').and.to.include('webhook-0');
  });

  it('proves what another server shows, says so, and has no certificate of its own', async () => {
    const pair = await pki.pair({ names: configured().serviceNames });
    await using other = createTlsServer({ cert: pair.certificate, key: pair.key }, (socket) => socket.end());
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const env = { WEBHOOK_HANDLER: '', SERVING_ADDRESS: `127.0.0.1:${port}`, CERT_DIR: await mounted(pair) };
    const { daemon, line, probe, stop, happened } = await started(env, {}, { announced: () => pair.hash });
    const { level, fields } = await line('Neighbour shows the announced certificate');
    expect(level).to.equal('info');
    expect(fields).to.deep.equal({ hash: pair.hash, handshakes: 8, event: 'neighbour-proven' });
    await line('Ready');
    expect((await probe('/readyz')).lines.join()).to.not.include('neighbour');
    expect(daemon.port()).to.equal(null);
    await stop();
    expect(happened).to.include('client closes');
  });
});
