import type { Observable } from 'rxjs';

/** The objects that stood at one resourceVersion. */
export interface Listing<T> {
  readonly resourceVersion: string;
  readonly items: readonly T[];
}

/** One line of one watch connection. `opened` comes first, once the server has answered 200. */
export type WatchFrame<T> =
  | { readonly type: 'opened' }
  | { readonly type: 'applied'; readonly resourceVersion: string; readonly object: T }
  | { readonly type: 'deleted'; readonly resourceVersion: string; readonly object: T }
  | { readonly type: 'bookmark'; readonly resourceVersion: string }
  | { readonly type: 'expired' };

/**
 * What the core needs of the Kubernetes watch protocol: one list, one connection. Resuming is the core's own.
 * Both are cold, and unsubscribing aborts the request even while it is pending. They err with a {@link Problem}.
 */
export interface WatchPort<T> {
  list(): Observable<Listing<T>>;
  /** Completes when the server ends it; `expired` says that the version is too old (410). */
  watch(resourceVersion: string): Observable<WatchFrame<T>>;
}
