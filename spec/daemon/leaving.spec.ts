import { once } from 'node:events';
import { Agent } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { reviewText } from '../support/admission-review.ts';
import { type ApiUnderTest, startApiUnderTest } from '../support/api-under-test.ts';
import { install, type SpecReplica } from '../support/installation.ts';
import { servedSerial } from '../support/served-serial.ts';
import { scaled, until } from '../support/until.ts';
import { type Answer, call } from '../support/webhook-call.ts';

const HANDLER = fileURLToPath(new URL('held-handler.ts', import.meta.url));

describe('a daemon that is leaving', function () {
  this.timeout(60_000);
  let api: ApiUnderTest;
  before(async () => {
    api = await startApiUnderTest();
  });
  after(() => api[Symbol.asyncDispose]());

  const ask = ({ webhookPort: port }: SpecReplica, path: string, agent?: Agent): Promise<Answer | string> =>
    call({ port, path, body: reviewText(), rejectUnauthorized: false, ...(agent ? { agent } : {}) }).catch(
      (error: unknown) => (error as Error).message,
    );

  it('stops being ready, answers what is in flight and what still comes with a goodbye, and ends with 0', async () => {
    const graceMs = scaled(8_000);
    const env = { WEBHOOK_HANDLER: HANDLER, SHUTDOWN_GRACE: `${graceMs}ms` };
    await using installation = await install(api, { env });
    await using replica = await installation.replica();
    await replica.line('Ready');
    const kept = new Agent({ keepAlive: true, rejectUnauthorized: false });
    expect(await ask(replica, '/at-once', kept)).to.have.nested.property('headers.connection', 'keep-alive');
    const pending = ask(replica, '/held');
    await replica.line('Asked', { path: '/held' });
    const startMs = performance.now();
    replica.kill('SIGTERM');
    await until(async () => (await replica.probe('/readyz')).text.split('\n').includes('draining'));
    expect((await replica.probe('/readyz')).code).to.equal(503);
    expect((await replica.probe('/livez')).code).to.equal(200);
    for (const [path, agent] of [['/at-once', kept] as const, ['/release'] as const]) {
      const answer = await ask(replica, path, agent);
      expect(answer).to.include({ status: 200 }).and.to.have.nested.property('headers.connection', 'close');
    }
    expect(await pending)
      .to.include({ status: 200 })
      .and.to.have.nested.property('headers.connection', 'close');
    expect(await replica.exit).to.equal(0);
    // A quarter of the grace for newcomers, at most 5 s, and not the whole of it.
    expect(performance.now() - startMs).to.be.within(Math.min(graceMs / 4, 5_000) - 100, graceMs - 1_000);
    kept.destroy();
  });

  it('cuts what is not answered within SHUTDOWN_GRACE', async () => {
    await using installation = await install(api, { env: { WEBHOOK_HANDLER: HANDLER, SHUTDOWN_GRACE: '1s' } });
    await using replica = await installation.replica();
    await replica.line('Ready');
    const pending = ask(replica, '/never');
    await replica.line('Asked', { path: '/never' });
    const startMs = performance.now();
    replica.kill('SIGTERM');
    expect(await pending).to.match(/hang up|ECONNRESET/);
    expect(await replica.exit).to.equal(0);
    expect(performance.now() - startMs).to.be.within(900, scaled(6_000));
  });

  it('closes connections that still carry a certificate of an older CA when that CA is dropped, and no other', async () => {
    await using installation = await install(api, { env: { CA_OVERLAP: '0' } });
    await using replica = await installation.replica();
    await replica.line('Ready');
    const before = await servedSerial(replica.webhookPort);
    const open = async () => {
      const socket = connect({ port: replica.webhookPort, host: '127.0.0.1', rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      return socket.resume();
    };
    const older = await open();
    const openedMs = performance.now();
    await installation.annotateLease({ rotate: 'ca' });
    await until(async () => (await servedSerial(replica.webhookPort)) !== before);
    await until(() => older.destroyed, 30_000);
    // Unused connections are closed after two minutes.
    expect(performance.now() - openedMs).to.be.below(110_000);
    expect((await api.admin.get(installation.paths.secret)).at('data', 'ca.crt')).to.be.a('string');
    const newer = await open();
    await sleep(2_000);
    expect(newer.destroyed).to.equal(false);
    newer.destroy();
  });
});
