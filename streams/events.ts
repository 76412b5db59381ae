import type { DeadlineEvent } from './certificate-deadline.ts';
import type { Desired, LoadEvent } from './load-certificate.ts';
import type { LeaseSnapshot } from './model.ts';
import type { PodEvent } from './pod-annotations.ts';
import type { Readiness } from './readiness.ts';

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

export type FollowerEvent =
  | { readonly type: 'desired/changed'; readonly desired: Desired; readonly elapsedMs: number }
  | { readonly type: 'tick/checked'; readonly desired: Desired }
  | { readonly type: 'certificate/concluded'; readonly load: LoadEvent; readonly elapsedMs: number }
  | { readonly type: 'readiness/changed'; readonly readiness: Readiness }
  | DeadlineEvent
  | PodEvent;
