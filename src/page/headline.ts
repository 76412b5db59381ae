import type { Status } from '../status/status.ts';
import { html, type Markup } from './html.ts';
import { waitText } from './labels.ts';
import type { SeenReplica } from './replica-card.ts';

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
export const headline = (seen: readonly SeenReplica[]): string => {
  const [only] = seen;
  if (seen.length === 1 && only !== undefined)
    return `${only.name} ${only.status === null ? 'cannot be reached' : ofStatus(only.status)}`;
  const unready = seen.filter(({ status }) => status?.ready !== true).length;
  if (unready === 0) return `All ${seen.length} replicas are ready`;
  return `${unready} of ${seen.length} replicas ${verb(unready)} not ready`;
};

/** Where this is: the program, and the installation. */
export const brand = (status: Status | undefined): Markup =>
  html`<p class="brand">
    webhook-certd
    ${status === undefined ? null : html`${status.version} · namespace ${status.namespace} · Lease ${status.lease}`}
  </p>`;

const MARKS = { good: 'M9 16l5 5 9-10', bad: 'M11 11l10 10M21 11L11 21' } as const;
const COLOURS = { good: '#13682f', bad: '#b3261e' } as const;

/** A picture for the tab of the browser that tells from afar whether everything is ready. */
export const favicon = (seen: readonly SeenReplica[]): string => {
  const state = seen.every(({ status }) => status?.ready === true) ? 'good' : 'bad';
  const shield = `<path fill="${COLOURS[state]}" d="M16 1l13 5v9c0 8-5 13-13 16C8 28 3 23 3 15V6z"/>`;
  const mark = `<path fill="none" stroke="#fff" stroke-width="3.5" stroke-linecap="round" d="${MARKS[state]}"/>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">${shield}${mark}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
};
