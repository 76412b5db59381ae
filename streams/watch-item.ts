export type WatchClosed = 'ended' | 'expired' | 'silent';

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
    };
