import { expect } from 'chai';
import type { SpecReplica } from '../support/installation.ts';
import type { RealApi } from '../support/real-api.ts';
import { LOADED } from '../support/rotate-all.ts';
import { type SeparateHost, startSeparateHost } from '../support/separate-host.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';
import { type Faulted, faulted } from './faulted.ts';
import { recovered } from './recovered.ts';
import { sharedApi } from './shared-api.ts';

describe('a link to the API server that goes dead without a word', function () {
  this.timeout(180_000);
  const opened = new AsyncDisposableStack();
  const hosts = new Map<string, SeparateHost>();
  const replicas: SpecReplica[] = [];
  let api: RealApi;
  let scene: Faulted;

  before(async () => {
    api = await sharedApi();
    scene = opened.use(await faulted(api));
    for (let count = 0; count < 2; count++) {
      const host = opened.use(await startSeparateHost());
      // The connections from here to the API server stand: to the server, too, the silence is just that.
      const gateway = opened.use(await startTcpProxy(Number(new URL(api.url).port), host.gateway));
      const via = { url: `https://${host.gateway}:${gateway.port}`, caPem: api.caPem, serverName: 'localhost' };
      const replica = await scene.replica({ via, host: host.address, within: host.within });
      hosts.set(replica.name, host);
      replicas.push(replica);
    }
  });
  after(() => opened.disposeAsync());

  const hostOf = ({ name }: SpecReplica): SeparateHost => hosts.get(name)!;

  it("a follower's silent watch is replaced, and what was announced meanwhile is served", async () => {
    await scene.converged();
    const follower = replicas.find((replica) => replica !== scene.leader())!;
    follower.mark();
    await hostOf(follower).cut();
    const sinceMs = performance.now();
    await follower.line('Lease watch closed, restarting watch', { reason: 'silent' }, 30_000);
    recovered(sinceMs, 'noticed');
    const { error } = await follower.line('Watch creation failed', {}, 30_000);
    console.log(`      ${String(error)}`);
    const hash = await scene.announced();
    expect((await follower.probe('/readyz')).text).to.equal('ok');

    await hostOf(follower).mend();
    const mendedMs = performance.now();
    await follower.line(LOADED, { hash }, 60_000);
    await scene.converged();
    recovered(mendedMs);
    scene.expectUnharmed();
  });

  it('a leader that is cut off stops before another starts, and follows once it is back', async () => {
    await scene.converged();
    const late = scene.leader();
    const other = replicas.find((replica) => replica !== late)!;
    for (const replica of replicas) replica.mark();
    await hostOf(late).cut();
    const sinceMs = performance.now();
    const lost = await late.line('Leadership lost', { reason: 'renew-deadline' }, 30_000);
    const acquired = await other.line('Leadership acquired', {}, 30_000);
    expect(Date.parse(String(lost['time']))).to.be.below(Date.parse(String(acquired['time'])));
    recovered(sinceMs, 'succeeded');
    const hash = await scene.announced();
    await other.line(LOADED, { hash }, 60_000);
    expect((await late.probe('/readyz')).text).to.equal('ok');

    await hostOf(late).mend();
    const mendedMs = performance.now();
    await late.line(LOADED, { hash }, 60_000);
    await scene.converged();
    recovered(mendedMs);
    expect(scene.objects().holder()).to.equal(other.name);
    await until(async () => (await late.probe('/status')).text.includes('"role": "candidate"'));
    scene.expectUnharmed();
  });
});
