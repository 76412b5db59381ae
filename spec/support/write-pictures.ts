import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';
import { reportText } from '../../src/check/report.ts';
import type { Rule } from '../../src/dev-cluster/users.ts';
import { layOut } from '../check/scene.ts';
import { tool } from '../observability/tool.ts';
import { startEmbeddedApi } from './embedded-api.ts';
import { terminalPicture } from './terminal-picture.ts';
import { until } from './until.ts';

/** Run by hand: makes the pictures of docs/images from the demo, its page, and a report of `check`. */
const ROOT = join(import.meta.dirname, '..', '..');
const FOLDER = join(ROOT, 'docs', 'images');
const COLUMNS = 112;
/** The lines of the demo that tell what happens, without those about single steps. */
const TOLD = /status page of all|is the leader|issued|wrote|announced|serves|caller|CA/;
const DEMO_LINES = 16;

const save = (name: string, content: string | Uint8Array): Promise<void> => writeFile(join(FOLDER, name), content);

const isOfTarget = ({ resources }: Rule): boolean => resources.includes('validatingwebhookconfigurations');
const CATEGORIES = ['permissions', 'certificate', 'replicas', 'caBundles'];

/** The report on an installation whose replicas may not write their caBundle, without the parts that are well. */
const checkPicture = async (): Promise<void> => {
  await using api = await startEmbeddedApi();
  await using scene = await layOut(api, {
    rules: (rules) =>
      rules.map((rule) => ({ ...rule, verbs: rule.verbs.filter((verb) => verb !== 'patch' || !isOfTarget(rule)) })),
  });
  const { checks } = await scene.check();
  const id = scene.namespace.replace('hooks-', '');
  const named = [
    [scene.namespace, 'shop'],
    [`webhook-abc-${id}`, 'orders-6d5f9c7b-x2kx'],
    [`webhook-${id}`, 'orders.shop'],
    [`default/checker-${id}`, 'shop/orders'],
    [`default-checker-${id}`, 'shop-orders'],
    [`default:checker-${id}`, 'shop:orders'],
    ['kubetemplater-webhook-cert', 'orders-cert'],
    ['kubetemplater-webhook-service', 'orders'],
    ['8377a775.my.company.com', 'orders'],
    [`KUBECONFIG=${scene.kubeconfig} `, ''],
  ].reduce(
    (text, [from = '', to = '']) => text.replaceAll(from, to),
    reportText(
      checks.filter(({ category }) => CATEGORIES.includes(category)),
      true,
    ),
  );
  await save(
    'check.svg',
    terminalPicture(`$ webhook-certd check -n shop\n${named}`, {
      columns: COLUMNS,
      title: 'A report of webhook-certd check, which prints a command for each failure',
    }),
  );
};

const demoPictures = async (): Promise<void> => {
  const args = [join(ROOT, 'src', 'main.ts'), 'demo', '--kubelet-delay', '1s'];
  const demo = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(demo, 'close');
  try {
    const lines: string[] = [];
    createInterface(demo.stdout).on('line', (line) => lines.push(line));
    const seen = (pattern: RegExp) => lines.map((line) => pattern.exec(line)?.[1]).find((each) => each !== undefined);
    await until(() => seen(/(rotation 2 done)/) !== undefined, 90_000);
    const browser = await chromium.launch({
      executablePath: await tool('chromium'),
      args: ['--headless', '--no-sandbox'],
    });
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await browser.newPage({ viewport: { width: 1280, height: 1000 }, colorScheme });
      await page.goto(seen(/status page of all replicas: (http:\S+)/) ?? '');
      await page.waitForSelector('#connection[data-state=live]');
      await page.screenshot({ path: join(FOLDER, `status-page-${colorScheme}.png`) });
    }
    await browser.close();
    const shown = lines
      .filter((line) => TOLD.test(line))
      .slice(0, DEMO_LINES)
      .join('\n');
    await save(
      'demo.svg',
      terminalPicture(`$ npm start\n${shown}`, {
        columns: COLUMNS,
        title: 'The demo: three replicas rotate their certificate while they are called',
      }),
    );
  } finally {
    demo.kill('SIGTERM');
    await ended;
  }
};

await mkdir(FOLDER, { recursive: true });
await checkPicture();
await demoPictures();
