import { certificateCard } from './certificate-card.ts';
import { clusterCard } from './cluster-card.ts';
import { html, type Markup } from './html.ts';
import { replicaCard } from './replica-card.ts';
import { rotationCard } from './rotation-card.ts';
import type { SeenReplica } from './seen-replica.ts';
import { tracks, type TrackedRotation } from './tracks.ts';
import { trustCard } from './trust-card.ts';

const FULLY_SHOWN = 2;

const list = (rotations: readonly TrackedRotation[], nowMs: number): Markup =>
  html`<ol class="rotations">
    ${rotations.map((rotation) => rotationCard(rotation, nowMs))}
  </ol>`;

const rotationsCard = (rotations: readonly TrackedRotation[], nowMs: number): Markup => {
  const older = rotations.slice(FULLY_SHOWN);
  const fold = html`<details>
    <summary>Older ones</summary>
    ${list(older, nowMs)}
  </details>`;
  return html`<section class="card">
    <h2>Recent rotations</h2>
    ${
      rotations.length === 0
        ? html`<p class="dim">None yet: nothing has been announced.</p>`
        : list(rotations.slice(0, FULLY_SHOWN), nowMs)
    }
    ${older.length === 0 ? null : fold}
  </section>`;
};

/** Everything on the page that changes. */
export const content = (seen: readonly SeenReplica[], nowMs: number): Markup => {
  const rotations = tracks(seen);
  const isOpen = rotations[0]?.tracks.some(({ isDone }) => !isDone) === true;
  const statuses = seen.flatMap(({ status }) => (status === null ? [] : [status]));
  // Who leads sees more than the others.
  const principal = statuses.find(({ role }) => role === 'leader') ?? statuses[0];
  return html`<main data-open="${isOpen ? 'yes' : 'no'}">
    <div class="replicas">${seen.map((replica) => replicaCard(replica, seen.length === 1))}</div>
    ${rotationsCard(rotations, nowMs)}
    ${
      principal === undefined
        ? null
        : html`<div class="details">
            ${certificateCard(principal)} ${clusterCard(principal)} ${trustCard(principal)}
          </div>`
    }
  </main>`;
};
