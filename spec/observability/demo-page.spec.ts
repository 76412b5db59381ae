import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { program } from '../support/program.ts';
import { until } from '../support/until.ts';
import { startBrowser } from './browser.ts';

describe('the page of the demo', function () {
  this.timeout(90_000);

  it('is told where it is, shows every replica, and draws each on a track of its own', async () => {
    await using browser = await startBrowser();
    const demo = spawn(process.execPath, [program(), 'demo', '--kubelet-delay', '1s'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(demo, 'close');
    try {
      const { promise: address, resolve, reject } = Promise.withResolvers<string>();
      createInterface(demo.stdout)
        .on('line', (line) => {
          const url = /status page of all replicas: (?<url>http:\S+)/.exec(line)?.groups?.['url'];
          if (url !== undefined) resolve(url);
        })
        .on('close', () => reject(new Error('the demo has ended, its stderr says why')));
      const view = await browser.open(await address, { theme: 'light', width: 1280 });
      const { page } = view;
      const names = ['replica-0', 'replica-1', 'replica-2'];
      for (const name of names) await page.waitForSelector(`.replica[data-replica=${name}] .state.good`);
      await page.locator('h1', { hasText: 'All 3 replicas are ready' }).waitFor();
      expect(await page.locator('.replica .tag', { hasText: 'leader' }).count()).to.equal(1);
      // The first rotation that is asked for, beside the first certificate.
      await page.locator('.rotation').nth(1).waitFor();
      for (const name of names)
        await page.waitForSelector(
          `.rotation:first-child [data-replica=${name}] [data-stage=loaded] ~ [data-stage=acknowledged]`,
        );
      // The next rotation may have just begun.
      await until(async () => (await page.locator('.rotation').first().locator('.track').count()) === 3);
      expect(await view.violations()).to.deep.equal([]);
      expect(view.complaints).to.deep.equal([]);
      await view.picture('demo');
    } finally {
      demo.kill('SIGTERM');
      await ended;
    }
  });
});
