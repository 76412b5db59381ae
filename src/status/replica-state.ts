import type { LoadEvent } from '../../streams/load-certificate.ts';
import type { Announcement, VolumeSnapshot } from '../../streams/model.ts';
import type { ClusterState } from '../../streams/observe-cluster.ts';
import type { Readiness } from '../../streams/readiness.ts';
import type { ReplicaEvent } from '../../streams/replica.ts';
import { nextRotations, type Rotation } from './rotations.ts';

/** How things stand with this replica, as far as it knows. Times are ms since the epoch. */
export interface ReplicaState {
  readonly startedMs: number;
  readonly leading: boolean;
  readonly leaseSeen: boolean;
  /** Who holds the Lease. */
  readonly leader: string | null;
  readonly announced: Announcement | null;
  readonly mounted: VolumeSnapshot | null;
  /** What came of the newest load, and since when it has been just that. */
  readonly load: { readonly event: LoadEvent; readonly sinceMs: number } | null;
  readonly readiness: Readiness;
  readonly acknowledgedHash: string | null;
  /** It may not write on its Pod. */
  readonly mute: boolean;
  readonly watch: { readonly state: 'connecting' | 'established' | 'closed' | 'failed'; readonly sinceMs: number };
  /** What the leader's decisions rest on; null when this is not the leader. */
  readonly observation: ClusterState | null;
  /** A write of the leader that has failed and is tried again. */
  readonly failing: { readonly step: string; readonly error: string; readonly sinceMs: number } | null;
  /** The objects whose write the API server lastingly refuses; they are set aside. */
  readonly refused: readonly { readonly object: string; readonly reason: string }[];
  readonly rotations: readonly Rotation[];
}

export const initialState = (nowMs: number): ReplicaState => ({
  startedMs: nowMs,
  leading: false,
  leaseSeen: false,
  leader: null,
  announced: null,
  mounted: null,
  load: null,
  readiness: { ready: false, reasons: ['no-announcement'], served: null },
  acknowledgedHash: null,
  mute: false,
  watch: { state: 'connecting', sinceMs: nowMs },
  observation: null,
  failing: null,
  refused: [],
  rotations: [],
});

/** A load that says the same again is as old as the first that said it. */
const sameLoad = (left: LoadEvent, right: LoadEvent): boolean => {
  const said = (load: LoadEvent): unknown =>
    load.type === 'certificate/served' ? [load.type, load.pair.hash, load.untrusted] : load;
  return JSON.stringify(said(left)) === JSON.stringify(said(right));
};

const next = (standing: ReplicaState, event: ReplicaEvent, nowMs: number): ReplicaState => {
  switch (event.type) {
    case 'lease/observed': {
      const { holder = null, announcement = null } = event.lease ?? {};
      return { ...standing, leaseSeen: true, leader: holder, announced: announcement };
    }
    case 'watch/established':
      return { ...standing, watch: { state: 'established', sinceMs: nowMs } };
    case 'watch/closed':
      return { ...standing, watch: { state: 'closed', sinceMs: nowMs } };
    case 'watch/failed':
      return { ...standing, watch: { state: 'failed', sinceMs: nowMs } };
    case 'desired/changed':
      return { ...standing, mounted: event.desired.mounted };
    case 'certificate/concluded': {
      const { load } = standing;
      const isSame = load !== null && sameLoad(load.event, event.load);
      return { ...standing, load: { event: event.load, sinceMs: isSame ? load.sinceMs : nowMs } };
    }
    case 'readiness/changed':
      return { ...standing, readiness: event.readiness };
    case 'replica/acknowledged':
      return { ...standing, acknowledgedHash: event.hash };
    case 'pod/forbidden':
      return { ...standing, mute: true };
    case 'leadership/acquired':
      return { ...standing, leading: true };
    case 'leadership/lost':
    case 'leadership/released':
      return { ...standing, leading: false, observation: null, failing: null, refused: [] };
    case 'cluster/observed':
      return { ...standing, observation: event.observed };
    case 'step/failed': {
      const { step, error } = event;
      return { ...standing, failing: { step: step.kind, error, sinceMs: standing.failing?.sinceMs ?? nowMs } };
    }
    case 'object/refused': {
      const { object, error: reason } = event;
      return { ...standing, refused: [...standing.refused.filter((one) => one.object !== object), { object, reason }] };
    }
    case 'object/accepted':
      return { ...standing, refused: standing.refused.filter(({ object }) => object !== event.object) };
    case 'step/done':
      return { ...standing, failing: null };
    default:
      return standing;
  }
};

/**
 * How things stand after one more event. Pure.
 *
 * @param identity the name of this replica
 */
export const reduce = (standing: ReplicaState, event: ReplicaEvent, identity: string, nowMs: number): ReplicaState => {
  const isFirstSight = !standing.leaseSeen;
  const rotations = nextRotations(standing.rotations, event, { identity, nowMs, isFirstSight });
  return { ...next(standing, event, nowMs), rotations };
};
