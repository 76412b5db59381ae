import { createHash } from 'node:crypto';
import type { Status } from '../status/status.ts';
import { certificateCard, clusterCard, trustCard } from './details.ts';
import { html, type Markup } from './html.ts';
import { glossary, waitText } from './labels.ts';
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

/** What the reasons mean that are about the process and not about a certificate. */
const REASONS: Readonly<Record<string, string>> = {
  draining: 'is shutting down',
  'credentials-loading': 'is not ready: its credentials are still loading',
  'handler-loading': 'is not ready: its handler is still loading',
};

const ofStatus = ({ ready, reasons: [reason = ''], waitsFor: [wait] }: Status): string => {
  const known = REASONS[reason];
  if (known !== undefined) return known;
  const waits = wait === undefined ? null : `waits for ${waitText(wait.for)}`;
  if (ready) return waits === null ? 'is ready' : `is ready, and ${waits}`;
  if (waits !== null) return `is not ready: it ${waits}`;
  return reason === 'upstream-unreachable' ? 'is not ready: its upstream does not answer' : `is not ready: ${reason}`;
};

const verb = (count: number): string => (count === 1 ? 'is' : 'are');

/** The state of everything on the page in one sentence, which is its title too. */
const headline = (seen: readonly SeenReplica[]): string => {
  const [only] = seen;
  if (seen.length === 1 && only !== undefined)
    return `${only.name} ${only.status === null ? 'cannot be reached' : ofStatus(only.status)}`;
  const unready = seen.filter(({ status }) => status?.ready !== true).length;
  if (unready === 0) return `All ${seen.length} replicas are ready`;
  return `${unready} of ${seen.length} replicas ${verb(unready)} not ready`;
};

/** Where this is: the program, and the installation. */
const brand = (status: Status | undefined): Markup =>
  html`<p class="brand">
    webhook-certd
    ${status === undefined ? null : html`${status.version} · namespace ${status.namespace} · Lease ${status.lease}`}
  </p>`;

const MARKS = { good: 'M9 16l5 5 9-10', bad: 'M11 11l10 10M21 11L11 21' } as const;
const COLOURS = { good: '#13682f', bad: '#b3261e' } as const;

/** A picture for the tab of the browser that tells from afar whether everything is ready. */
const favicon = (seen: readonly SeenReplica[]): string => {
  const state = seen.every(({ status }) => status?.ready === true) ? 'good' : 'bad';
  const shield = `<path fill="${COLOURS[state]}" d="M16 1l13 5v9c0 8-5 13-13 16C8 28 3 23 3 15V6z"/>`;
  const mark = `<path fill="none" stroke="#fff" stroke-width="3.5" stroke-linecap="round" d="${MARKS[state]}"/>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">${shield}${mark}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
};
