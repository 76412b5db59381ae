import type { LeaseSnapshot, NotShown, Readiness, VerifiedPair, VolumeSnapshot } from './model.ts';
import type { ClusterState, WriteResult } from './planner-input.ts';
import type { PodEvent } from './pod-annotations.ts';
import type { Step } from './step.ts';

type WatchClosed = 'ended' | 'expired' | 'silent';

export type WatchItem<T> =
  | { readonly type: 'watch/listed'; readonly items: readonly T[]; readonly resourceVersion: string }
  | { readonly type: 'watch/established'; readonly resourceVersion: string }
  | { readonly type: 'watch/applied'; readonly object: T }
  | { readonly type: 'watch/deleted'; readonly object: T }
  | { readonly type: 'watch/closed'; readonly reason: WatchClosed }
  | {
      readonly type: 'watch/failed';
      readonly status: number | null;
      readonly error: string;
      readonly retryInMs: number;
      /** The same failure as the one before, with no event in between: logged once. */
      readonly repeated?: boolean;
    };

/** How it was learned: by the watch, a GET, or the response to a write of this replica. */
export type Via = 'watch' | 'get' | 'write';

export type LeaseEvent =
  | Extract<WatchItem<LeaseSnapshot>, { type: 'watch/established' | 'watch/closed' | 'watch/failed' }>
  | {
      readonly type: 'lease/observed';
      readonly lease: LeaseSnapshot | null;
      readonly via: Via;
      /** Whether it announces another hash than the one before. */
      readonly announces: boolean;
    }
  | { readonly type: 'lease/unread'; readonly status: number | null; readonly error: string };

/** Whether this replica may still write: it renewed less than RENEW_DEADLINE ago, by a clock that never jumps. */
export type Fence = () => boolean;

/** Why leadership ended; `shared-identity`: another process renewed the Lease under this replica's identity. */
export type LossReason = 'deposed' | 'renew-deadline' | 'shared-identity';

export type ElectionEvent =
  | { readonly type: 'leadership/acquired'; readonly fence: Fence }
  | { readonly type: 'leadership/renewed' }
  | { readonly type: 'leadership/lost'; readonly reason: LossReason }
  | { readonly type: 'leadership/released' }
  | {
      readonly type: 'leadership/failed';
      readonly status: number | null;
      readonly error: string;
      readonly retryInMs: number;
    };

/** What one replica wants to serve: the announcement it has seen and the generation that is mounted. */
export interface Desired {
  readonly lease: LeaseSnapshot | null;
  readonly mounted: VolumeSnapshot;
}

export type LoadEvent =
  | { readonly type: 'certificate/unannounced'; readonly malformed: string | null }
  | { readonly type: 'certificate/unmounted'; readonly hash: string }
  | { readonly type: 'certificate/mismatched'; readonly hash: string; readonly filesystemHash: string }
  | {
      readonly type: 'certificate/rejected';
      readonly hash: string;
      readonly reason: string;
      readonly retryable: boolean;
    }
  | { readonly type: 'certificate/served'; readonly pair: VerifiedPair; readonly untrusted: string | null }
  /** The announced pair may be served, and the server beside this process that terminates TLS does not show it. */
  | ({ readonly type: 'certificate/not-shown'; readonly pair: VerifiedPair } & NotShown);

/** In the server, its handshake still to come: not a conclusion. */
export interface Swapped {
  readonly type: 'certificate/swapped';
}

export interface DeadlineEvent {
  readonly type: 'certificate/timed-out';
  readonly timeoutMs: number;
  /** What it was still waiting for. */
  readonly reason: string;
}

export type FollowerEvent =
  | { readonly type: 'desired/changed'; readonly desired: Desired; readonly elapsedMs: number }
  | { readonly type: 'tick/checked'; readonly desired: Desired }
  | { readonly type: 'certificate/concluded'; readonly load: LoadEvent; readonly elapsedMs: number }
  | { readonly type: 'readiness/changed'; readonly readiness: Readiness }
  | DeadlineEvent
  | PodEvent;

export type StepEvent =
  /** `touched` is the object after the write; null for a write to the Lease, which has its own watch. */
  | { readonly type: 'step/done'; readonly step: Step; readonly touched: WriteResult | null }
  | {
      readonly type: 'step/failed';
      readonly step: Step;
      readonly status: number | null;
      readonly error: string;
      /** How long the object is left alone, ms; a change of what the step rests on ends the pause. */
      readonly retryInMs: number;
      /** The previous write of this object failed in the same way. */
      readonly repeated: boolean;
    }
  /** Another writer keeps undoing what the leader writes. Objects are named as in `contention.ts`. */
  | { readonly type: 'object/contested'; readonly object: string; readonly otherManager: string | null }
  /** The API server lastingly refuses the write of one object; once for each object and reason. */
  | {
      readonly type: 'object/refused';
      readonly object: string;
      readonly status: number | null;
      readonly error: string;
      readonly retryInMs: number;
    }
  /** An object that was set aside has been written, or no longer needs a write. */
  | { readonly type: 'object/accepted'; readonly object: string };

export interface WatchFailed {
  readonly type: 'watch/unavailable';
  readonly object: string;
  readonly status: number | null;
  readonly error: string;
  readonly retryInMs: number;
  /** The same failure as the one before, with no event in between: logged once. */
  readonly repeated?: boolean;
}

export type LeaderEvent =
  | StepEvent
  | { readonly type: 'cluster/observed'; readonly observed: ClusterState }
  /** A change of CA waits for objects that refuse the leader's writes and trust only the older CA; empty: no longer. */
  | { readonly type: 'ca-change/waiting'; readonly objects: readonly string[] }
  /** The next certificate waits until every API server has taken up the caBundles, till then by the wall clock; null: no longer. */
  | { readonly type: 'trust/settling'; readonly untilMs: number | null }
  | WatchFailed;

export type ReplicaEvent = LeaseEvent | FollowerEvent | ElectionEvent | LeaderEvent;
