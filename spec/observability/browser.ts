import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { scaled } from '../support/until.ts';
import { tool } from './tool.ts';

/** How a page is looked at. */
export interface Look {
  readonly theme: 'light' | 'dark';
  readonly width: number;
}

export interface View extends Look {
  readonly page: Page;
  /** What the browser has complained of: errors in the script, and whatever the page's policy has refused. */
  readonly complaints: readonly string[];
  /** Keeps a picture of the whole page in test-output/, which CI keeps. */
  picture(name: string): Promise<void>;
  /** What axe-core objects to, a line each. */
  violations(): Promise<readonly string[]>;
}

export interface Browser extends AsyncDisposable {
  open(url: string, look: Look): Promise<View>;
}

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** Playwright's own is 30 s on any machine. */
const TIMEOUT_MS = scaled(30_000);
const PICTURES = join(import.meta.dirname, '..', '..', 'test-output', 'status-page');

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly help: string;
    readonly nodes: readonly { readonly target: readonly unknown[]; readonly failureSummary?: string }[];
  }[];
}

/** Starts Debian's Chromium. */
export const startBrowser = async (): Promise<Browser> => {
  await mkdir(PICTURES, { recursive: true });
  const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  const browser = await chromium.launch({
    executablePath: await tool('chromium'),
    args: FLAGS,
    timeout: TIMEOUT_MS,
  });
  return {
    open: async (url, { theme, width }) => {
      const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme: theme });
      page.setDefaultTimeout(TIMEOUT_MS);
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text());
      });
      await page.goto(url);
      return {
        theme,
        width,
        page,
        complaints,
        picture: async (name) => {
          await page.screenshot({ path: join(PICTURES, `${name}-${theme}-${width}.png`), fullPage: true });
        },
        violations: async () => {
          await page.evaluate(axe);
          const { violations } = await page.evaluate<AxeResult>('axe.run(document)');
          return violations.flatMap(({ id, help, nodes }) =>
            nodes.map(({ target, failureSummary }) => `${id}: ${help} at ${target.join(' ')}: ${failureSummary ?? ''}`),
          );
        },
      };
    },
    [Symbol.asyncDispose]: () => browser.close(),
  };
};
