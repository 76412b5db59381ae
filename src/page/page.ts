import { createHash } from 'node:crypto';
import type { Status } from '../status/status.ts';
import { certificateCard, clusterCard, trustCard } from './details.ts';
import { brand, favicon, headline } from './headline.ts';
import { html, type Markup } from './html.ts';
import { glossary } from './labels.ts';
import { PAGE_SCRIPT, PAGE_STYLE } from './page-assets.ts';
import { replicaCard, type SeenReplica } from './replica-card.ts';
import { rotationCard } from './rotation-card.ts';
import { type TrackedRotation, tracks } from './tracks.ts';

const digest = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

// Allows only the script and style of the page and requests to its own server, whatever a name may contain.
const POLICY = [
  "default-src 'none'",
  `script-src ${digest(PAGE_SCRIPT)}`,
  `style-src ${digest(PAGE_STYLE)}`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

// Script and style are constants of this program and must match the digests in the policy.
const trusted = (markup: string) => ({ markup });

/**
 * Renders the status page: one self-contained document, updated live in the browser. Its requests are relative (`events`), so
 * that it also works behind a proxy under any path.
 *
 * @param seen one replica for its own page, all replicas for the page of the demo
 * @param port at which each replica has such a page; null where none is to be led to
 */
export const page = (seen: readonly SeenReplica[], nowMs: number, port: number | null = null) => {
  const sentence = headline(seen);
  const { markup } = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${sentence} · webhook-certd</title>
        <link rel="icon" href="${favicon(seen)}" />
        ${trusted(`<style>${PAGE_STYLE}</style>`)}
      </head>
      <body>
        <header>
          ${brand(principalOf(seen))}
          <h1>${sentence}</h1>
          <p id="connection" role="status" data-state="opening">connecting</p>
          <noscript><p>Without JavaScript this page shows the state at the time when it was loaded.</p></noscript>
        </header>
        ${content(seen, nowMs, port)}
        <footer>
          ${GLOSSARY}
          <p>As JSON: <a href="status">/status</a>; as a stream of events: <a href="events">/events</a>.</p>
        </footer>
        ${trusted(`<script>${PAGE_SCRIPT}</script>`)}
      </body>
    </html>`;
  return {
    code: 200,
    contentType: 'text/html; charset=utf-8',
    body: markup,
    headers: { 'Content-Security-Policy': POLICY },
  };
};

const GLOSSARY = html`<details class="glossary">
  <summary>What the words mean</summary>
  <dl>
    ${glossary.map(
      ([word, meaning]) =>
        html`<dt>${word}</dt>
          <dd>${meaning}</dd>`,
    )}
  </dl>
</details>`;

/** The status of the leader contains more than that of other replicas. */
const principalOf = (seen: readonly SeenReplica[]): Status | undefined => {
  const statuses = seen.flatMap(({ status }) => (status === null ? [] : [status]));
  return statuses.find(({ role }) => role === 'leader') ?? statuses[0];
};

const FULLY_SHOWN = 2;

const list = (rotations: readonly TrackedRotation[], nowMs: number): Markup =>
  html`<ol class="rotations">
    ${rotations.map((rotation) => rotationCard(rotation, nowMs))}
  </ol>`;

const rotationsCard = (rotations: readonly TrackedRotation[], nowMs: number): Markup => {
  const older = rotations.slice(FULLY_SHOWN);
  const fold = html`<details>
    <summary>Older rotations</summary>
    ${list(older, nowMs)}
  </details>`;
  return html`<section class="card">
    <h2>Recent rotations</h2>
    ${
      rotations.length === 0
        ? html`<p class="dim">None yet: no certificate has been announced.</p>`
        : list(rotations.slice(0, FULLY_SHOWN), nowMs)
    }
    ${older.length === 0 ? null : fold}
  </section>`;
};

/** The part of the page that changes. */
const content = (seen: readonly SeenReplica[], nowMs: number, port: number | null): Markup => {
  const rotations = tracks(seen);
  const isOpen = rotations[0]?.tracks.some(({ isDone }) => !isDone) === true;
  const principal = principalOf(seen);
  return html`<main data-open="${isOpen ? 'yes' : 'no'}">
    <div class="replicas">${seen.map((replica) => replicaCard(replica, seen.length === 1))}</div>
    ${rotationsCard(rotations, nowMs)}
    ${
      principal === undefined
        ? null
        : html`<div class="details">
            ${certificateCard(principal)} ${clusterCard(principal, port)} ${trustCard(principal)}
          </div>`
    }
  </main>`;
};
