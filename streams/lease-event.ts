import type { LeaseSnapshot } from './model.ts';
import type { WatchItem } from './watch-item.ts';

/** How it was learned: by the watch, a GET, or the answer to a write of this replica's own. */
export type Via = 'watch' | 'get' | 'write';

export type LeaseEvent =
  | Extract<WatchItem<LeaseSnapshot>, { type: 'watch/established' | 'watch/closed' | 'watch/failed' }>
  | {
      readonly type: 'lease/observed';
      readonly lease: LeaseSnapshot | null;
      readonly via: Via;
      /** What it announces is not what the one before announced. */
      readonly announces: boolean;
    }
  | { readonly type: 'lease/unread'; readonly status: number | null; readonly error: string };
