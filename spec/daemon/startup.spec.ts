import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { type ApiUnderTest, startApiUnderTest } from '../support/api-under-test.ts';
import { install } from '../support/installation.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';

const LOADED = 'Certificate loaded and verified';

describe('a daemon whose handler module never finishes loading', function () {
  this.timeout(60_000);
  let api: ApiUnderTest;
  before(async () => {
    api = await startApiUnderTest();
  });
  after(() => api[Symbol.asyncDispose]());

  const withHangingHandler = async (env: Readonly<Record<string, string>> = {}) => {
    await using opened = new AsyncDisposableStack();
    const folder = opened.use(await temporaryDirectory());
    const handler = join(folder.path, 'hangs.mjs');
    await writeFile(handler, 'await new Promise(() => {});\nexport default () => ({ allowed: true });\n');
    const installation = opened.use(await install(api));
    const replica = opened.use(await installation.replica({ env: { WEBHOOK_HANDLER: handler, ...env } }));
    const everything = opened.move();
    return { replica, [Symbol.asyncDispose]: () => everything.disposeAsync() };
  };
  const answersProbes = (replica: { probe(path: string): Promise<unknown> }) =>
    until(() =>
      replica.probe('/livez').then(
        () => true,
        () => false,
      ),
    );

  it('answers its probes, and names the handler as the reason why it is not ready', async () => {
    await using daemon = await withHangingHandler();
    await answersProbes(daemon.replica);
    expect(await daemon.replica.probe('/livez')).to.include({ code: 200 });
    const { code, text } = await daemon.replica.probe('/readyz');
    expect(code).to.equal(503);
    expect(text.split('\n')).to.include('handler-loading');
  });

  it('says after a second what it is waiting for', async () => {
    await using daemon = await withHangingHandler();
    const line = await daemon.replica.line('Still starting');
    expect(line['waitingFor']).to.match(/WEBHOOK_HANDLER .*hangs\.mjs/);
  });

  it('ends with 0 on SIGTERM, and waits for no time limit', async () => {
    // Nothing else ends it before this spec does.
    await using daemon = await withHangingHandler({ CERT_TIMEOUT: '0', SHUTDOWN_GRACE: '1h' });
    await answersProbes(daemon.replica);
    daemon.replica.kill('SIGTERM');
    const ended: (number | null)[] = [];
    void daemon.replica.exit.then((code) => ended.push(code));
    await until(() => ended.length > 0, 10_000);
    expect(ended).to.deep.equal([0]);
  });

  it('ends with 1 at CERT_TIMEOUT and says why', async () => {
    await using daemon = await withHangingHandler({ CERT_TIMEOUT: '2s' });
    const line = await daemon.replica.line('Timeout waiting for webhook certificates');
    expect(line).to.include({ level: 'error', timeoutSeconds: 2 });
    expect(line['reason']).to.match(/^handler-loading/);
    expect(await daemon.replica.exit).to.equal(1);
  });
});

describe('a daemon whose ANNOTATION_PREFIX differs from that of the running installation', function () {
  this.timeout(60_000);

  it('names the other prefix as the reason why it is not ready', async () => {
    await using api = await startApiUnderTest();
    await using installation = await install(api);
    await using running = await installation.replica();
    await running.line(LOADED);
    await using changed = await installation.replica({ env: { ANNOTATION_PREFIX: 'other.example' } });
    const { reason } = await changed.line('Announcement on the Lease cannot be used');
    expect(reason).to.match(/ANNOTATION_PREFIX is other\.example.* kubetemplater\.io/);
    await until(async () => (await changed.probe('/readyz')).text.startsWith(`no-announcement: ${String(reason)}`));
  });
});

describe('signals to the daemon', function () {
  this.timeout(60_000);
  let api: ApiUnderTest;
  before(async () => {
    api = await startApiUnderTest();
  });
  after(() => api[Symbol.asyncDispose]());

  it('do not open the inspector: SIGUSR1 is ignored', async () => {
    await using installation = await install(api);
    await using replica = await installation.replica();
    await replica.line(LOADED);
    replica.kill('SIGUSR1');
    await delay(500);
    expect(replica.stderr()).not.to.include('Debugger listening');
    expect(await replica.probe('/readyz')).to.include({ code: 200 });
  });

  it('do not end it with SIGHUP, which makes it read the mounted certificate again', async () => {
    // A mount that neither inotify nor the poll looks at in time.
    await using installation = await install(api, { env: { TICK_INTERVAL: '1h', LOG_LEVEL: 'debug' } });
    await using replica = await installation.replica();
    await replica.line(LOADED);
    replica.kill('SIGHUP');
    await replica.line('Mount is read again', { signal: 'SIGHUP' });
    expect(await replica.probe('/readyz')).to.include({ code: 200 });
  });
});
