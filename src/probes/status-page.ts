import { createHash } from 'node:crypto';
import type { Page } from './plain-server.ts';
import { statusPageScript } from './status-page-script.ts';
import { statusPageStyle } from './status-page-style.ts';

const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>webhook-certd</title>
<link rel="icon" href="data:,">
<style>${statusPageStyle}</style>
</head>
<body>
<main>
<h1 id="identity">webhook-certd</h1>
<p id="state" role="status">Asking this replica …</p>
<div id="parts"></div>
<p id="fresh"></p>
<noscript><p>Without JavaScript: <a href="status">/status</a> says the same as JSON.</p></noscript>
</main>
<script>${statusPageScript}</script>
</body>
</html>
`;

const digest = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

// The page runs its own script and style and asks its own server; nothing else is let in, whatever a name may contain.
const policy = [
  "default-src 'none'",
  `script-src ${digest(statusPageScript)}`,
  `style-src ${digest(statusPageStyle)}`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The status page: one file without any other, that asks `status` beside it, so it also works behind a proxy's path. */
export const statusPage = (): Page => ({
  code: 200,
  contentType: 'text/html; charset=utf-8',
  body: html,
  headers: { 'Content-Security-Policy': policy },
});
