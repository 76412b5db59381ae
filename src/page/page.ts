import { createHash } from 'node:crypto';
import { content } from './content.ts';
import { html } from './html.ts';
import { pageScript } from './page-script.ts';
import { pageStyle } from './page-style.ts';
import type { SeenReplica } from './seen-replica.ts';

const digest = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

// The page runs its own script and style and asks its own server; nothing else is let in, whatever a name may contain.
const policy = [
  "default-src 'none'",
  `script-src ${digest(pageScript)}`,
  `style-src ${digest(pageStyle)}`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const summary = (seen: readonly SeenReplica[]): string => {
  const unready = seen.filter(({ status }) => status?.ready !== true).length;
  const isReady = unready === 0 ? 'ready' : 'not ready';
  return seen.length === 1 ? isReady : unready === 0 ? 'all ready' : `${unready} not ready`;
};

// Script and style stand as they are: their digests are in the policy, and they are ours.
const trusted = (markup: string) => ({ markup });

/**
 * The status page: one document without any other, drawn here and live in the browser. Everything it asks for is
 * beside it (`events`), so that it also works behind a proxy's path.
 *
 * @param seen one replica for its own page, all of them for the demo's
 */
export const page = (seen: readonly SeenReplica[], nowMs: number) => {
  const [first] = seen;
  const name = seen.length === 1 && first ? first.name : `${seen.length} replicas`;
  const { markup } = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${summary(seen)} · ${name} · webhook-certd</title>
        <link rel="icon" href="data:," />
        ${trusted(`<style>${pageStyle}</style>`)}
      </head>
      <body>
        <header>
          <p class="brand">webhook-certd</p>
          <h1>${name}</h1>
          <p id="connection" role="status" data-state="opening">connecting</p>
          <noscript><p>Without JavaScript this page shows how things stood when it was loaded.</p></noscript>
        </header>
        ${content(seen, nowMs)}
        <footer>
          <p>The same as JSON: <a href="status">/status</a>, and as it changes: <a href="events">/events</a>.</p>
        </footer>
        ${trusted(`<script>${pageScript}</script>`)}
      </body>
    </html>`;
  return {
    code: 200,
    contentType: 'text/html; charset=utf-8',
    body: markup,
    headers: { 'Content-Security-Policy': policy },
  };
};
