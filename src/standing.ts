import type { Announcement, Replica } from '../streams/model.ts';
import type { Readiness } from '../streams/readiness.ts';
import type { ReplicaEvent } from '../streams/replica.ts';

/** How things stand with this replica, as far as it knows. */
export interface Standing {
  readonly leading: boolean;
  /** Who holds the Lease. */
  readonly leader: string | null;
  readonly announced: Announcement | null;
  readonly mountedHash: string | null;
  readonly readiness: Readiness;
  readonly watch: { readonly state: 'connecting' | 'established' | 'closed' | 'failed'; readonly sinceMs: number };
  /** Only the leader looks at them. */
  readonly replicas: readonly Replica[] | null;
}

export const initialStanding = (nowMs: number): Standing => ({
  leading: false,
  leader: null,
  announced: null,
  mountedHash: null,
  readiness: { ready: false, reasons: ['no-announcement'], served: null },
  watch: { state: 'connecting', sinceMs: nowMs },
  replicas: null,
});

/** The next standing. Pure. */
export const nextStanding = (standing: Standing, event: ReplicaEvent, nowMs: number): Standing => {
  switch (event.type) {
    case 'lease/observed':
      return { ...standing, leader: event.lease?.holder ?? null, announced: event.lease?.announcement ?? null };
    case 'watch/established':
      return { ...standing, watch: { state: 'established', sinceMs: nowMs } };
    case 'watch/closed':
      return { ...standing, watch: { state: 'closed', sinceMs: nowMs } };
    case 'watch/failed':
      return { ...standing, watch: { state: 'failed', sinceMs: nowMs } };
    case 'wanted/changed':
      return { ...standing, mountedHash: event.wanted.mounted.hash };
    case 'readiness/changed':
      return { ...standing, readiness: event.readiness };
    case 'leadership/acquired':
      return { ...standing, leading: true };
    case 'leadership/lost':
    case 'leadership/released':
      return { ...standing, leading: false, replicas: null };
    case 'cluster/observed': {
      const { replicas } = event.observed;
      return { ...standing, replicas: typeof replicas === 'string' ? null : replicas };
    }
    default:
      return standing;
  }
};
