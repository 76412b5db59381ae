import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { type ApiUnderTest, startApiUnderTest } from '../support/api-under-test.ts';
import { freePort } from '../support/free-port.ts';
import { install, type Installation, type ReplicaOptions, type SpecReplica } from '../support/installation.ts';
import { until } from '../support/until.ts';
import { type Browser, type Look, startBrowser, type View } from './browser.ts';

const LOADED = 'Certificate loaded and verified';
const ACKNOWLEDGED = 'Certificate acknowledged';
const LOOKS: readonly Look[] = [
  { theme: 'light', width: 1280 },
  { theme: 'dark', width: 1280 },
  { theme: 'light', width: 360 },
  { theme: 'dark', width: 360 },
];
const [DESK] = LOOKS as readonly [Look];
/** As good as never. */
const NEVER_MS = 600_000;
/** A frozen API server does not cost the leader its Lease. */
const CALM = { LEASE_DURATION: '60s', RENEW_DEADLINE: '40s', RETRY_PERIOD: '15s' };

describe('the status page in a browser', function () {
  this.timeout(240_000);
  let api: ApiUnderTest;
  let browser: Browser;
  before(async () => {
    api = await startApiUnderTest();
    browser = await startBrowser();
  });
  after(async () => {
    await browser[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
  });

  const replicaAt = async (
    installation: Installation,
    options: ReplicaOptions = {},
  ): Promise<{ readonly replica: SpecReplica; readonly url: string }> => {
    const port = await freePort();
    const env = { ...options.env, HEALTH_PROBE_BIND_ADDRESS: `127.0.0.1:${port}` };
    return { replica: await installation.replica({ ...options, env }), url: `http://127.0.0.1:${port}/` };
  };

  const isLive = async ({ page }: View): Promise<void> => {
    await page.waitForSelector('#connection[data-state=live]');
  };
  const isWhole = async (view: View): Promise<void> => {
    expect(await view.violations(), `axe-core, ${view.theme} at ${view.width}`).to.deep.equal([]);
    const scrolls = await view.page.evaluate<number>('document.documentElement.scrollWidth');
    expect(scrolls, `${view.width} px wide`).to.be.at.most(view.width);
    expect(view.complaints).to.deep.equal([]);
  };

  it('shows each stage of a rotation as it is reached, without a reload, in both themes and at 360 px', async () => {
    await using installation = await install(api, { env: CALM });
    const { replica, url } = await replicaAt(installation, { nudgeDelayMs: NEVER_MS });
    // Alone at first, so that it leads.
    const { hash: before } = await replica.line(LOADED);
    await using follower = await installation.replica({ nudgeDelayMs: 10 });
    await follower.line(LOADED);
    const views = await Promise.all(LOOKS.map((look) => browser.open(url, look)));
    for (const view of views) {
      await isLive(view);
      await view.page.waitForSelector(`[data-hash="${String(before)}"] [data-replica="${replica.name}"]`);
      await view.page.evaluate('window.sameDocument = true');
      await isWhole(view);
      await view.picture('1-before');
    }

    const stages = async ({ page }: View, hash: string, name: string): Promise<readonly (string | null)[]> =>
      Promise.all(
        (await page.locator(`[data-hash="${hash}"] [data-replica="${name}"] [data-stage]`).all()).map((item) =>
          item.getAttribute('data-stage'),
        ),
      );
    const everywhere = async (hash: string, name: string, wanted: readonly string[]): Promise<void> => {
      for (const view of views) await until(async () => (await stages(view, hash, name)).join() === wanted.join());
    };

    replica.kubelet.delayMs = Infinity;
    replica.mark();
    await installation.annotateLease({ rotate: 'leaf' });
    const hash = String((await replica.line('Certificate announced'))['hash']);
    await everywhere(hash, replica.name, ['announced']);
    await everywhere(hash, follower.name, ['acknowledged']);
    for (const view of views) {
      await view.page.waitForSelector('[data-wait=mount]');
      await isWhole(view);
      await view.picture('2-announced');
    }

    // Now the kubelet delivers it; the replica can load it, and cannot acknowledge it.
    replica.kubelet.delayMs = 1_000;
    await api.admin.patch('merge', installation.paths.secret, { metadata: { annotations: { delivered: 'now' } } });
    api.freeze();
    await everywhere(hash, replica.name, ['announced', 'mounted', 'loaded']);
    for (const view of views) await view.picture('3-loaded');
    api.thaw();
    await everywhere(hash, replica.name, ['announced', 'mounted', 'loaded', 'acknowledged']);
    for (const view of views) {
      await view.page.waitForSelector(`[data-hash="${hash}"] h3 .good`);
      expect(await view.page.evaluate('window.sameDocument')).to.equal(true);
      await isWhole(view);
      await view.picture('4-acknowledged');
      expect(await view.page.content()).not.to.match(/BEGIN|PRIVATE|Bearer|ey[J]hbGci/);
    }
  });

  it('keeps the focus where it is, and a fold open, while everything around moves', async () => {
    await using installation = await install(api);
    const { replica, url } = await replicaAt(installation);
    await replica.line(ACKNOWLEDGED);
    const rotate = async (): Promise<void> => {
      replica.mark();
      await installation.annotateLease({ rotate: 'leaf' });
      await replica.line(ACKNOWLEDGED);
    };
    await rotate();
    await rotate();
    const { page } = await browser.open(url, DESK);
    // By keyboard alone: from the top through every copy button to the fold, which Enter opens.
    const focused = (): Promise<string> =>
      page.evaluate('document.activeElement.tagName + document.activeElement.className');
    for (let tabs = 0; (await focused()) !== 'SUMMARY'; tabs += 1) {
      expect(tabs, 'Tab reaches the fold').to.be.below(20);
      await page.keyboard.press('Tab');
    }
    await page.keyboard.press('Enter');
    await rotate();
    await page.locator('details .rotation').nth(1).waitFor();
    expect(await focused()).to.equal('SUMMARY');
    expect(await page.evaluate('document.querySelector("details").open')).to.equal(true);
  });

  it('is as live behind the path of a proxy, as `kubectl proxy` has it, as through a forwarded port', async () => {
    await using installation = await install(api);
    await using first = await installation.replica();
    await first.line(ACKNOWLEDGED);
    const { replica, url } = await replicaAt(installation);
    await replica.line(ACKNOWLEDGED);
    const prefix = `/api/v1/namespaces/hooks/pods/${replica.name}:8081/proxy/`;
    await using proxy = createServer((incoming, outgoing) => {
      const path = incoming.url ?? '';
      if (!path.startsWith(prefix)) return void outgoing.writeHead(404).end();
      const forwarded = request(url + path.slice(prefix.length), { agent: false }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      forwarded.on('error', () => outgoing.destroy());
      outgoing.on('close', () => forwarded.destroy());
      forwarded.end();
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const { port } = proxy.address() as AddressInfo;
    const view = await browser.open(`http://127.0.0.1:${port}${prefix}`, DESK);
    await isLive(view);
    const leader = view.page.locator('[data-leader] a');
    expect(await leader.getAttribute('href')).to.equal(`/api/v1/namespaces/hooks/pods/${first.name}:8081/proxy/`);
    replica.mark();
    await installation.annotateLease({ rotate: 'leaf' });
    const { hash } = await replica.line(ACKNOWLEDGED);
    await view.page.waitForSelector(`[data-hash="${String(hash)}"] [data-stage=acknowledged]`);
    expect(view.complaints).to.deep.equal([]);
    await view.page.close();
    proxy.closeAllConnections();
  });

  it('says that there is no answer, and is live again when there is one', async () => {
    await using installation = await install(api);
    const { replica, url } = await replicaAt(installation);
    await replica.line(LOADED);
    const { page } = await browser.open(url, DESK);
    await page.waitForSelector('#connection[data-state=live]');
    replica.kill('SIGKILL');
    await page.waitForSelector('#connection[data-state=lost]');
    expect(await page.textContent('#connection')).to.equal('no response, retrying');
    await replica.exit;
    await using again = replica.again();
    await again.line(LOADED);
    await page.waitForSelector('#connection[data-state=live]');
    await page.waitForSelector('.state.good');
  });

  it('says why a replica is not ready and what it waits for, since when', async () => {
    await using installation = await install(api, { env: { LEADER_ELECTION: 'false' } });
    const { replica, url } = await replicaAt(installation);
    await replica.line('Lease watch established, monitoring for certificate updates');
    const view = await browser.open(url, DESK);
    await isLive(view);
    expect(await view.page.textContent('.state')).to.equal('✘ Not ready: no-announcement');
    expect(await view.page.textContent('h1')).to.equal(
      `${replica.name} is not ready: it waits for an announcement on the Lease`,
    );
    const wait = await view.page.textContent('[data-wait=announcement]');
    expect(wait?.replace(/\s+/g, ' ')).to.match(
      /^ Waiting for an announcement on the Lease since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC \(\d+ s ago\)\. $/,
    );
    await isWhole(view);
    await view.picture('not-ready');
  });
});
