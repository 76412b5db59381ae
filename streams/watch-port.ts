import type { Observable } from 'rxjs';

/** The objects as of one resourceVersion. */
export interface Listing<T> {
  readonly resourceVersion: string;
  readonly items: readonly T[];
}

/**
 * One line of one watch connection. `opened` comes first, once the server has answered 200. `failed` is an ERROR event
 * other than 410, whatever code it carries: the resourceVersion can no longer be relied on.
 */
export type WatchFrame<T> =
  | { readonly type: 'opened' }
  | { readonly type: 'applied'; readonly resourceVersion: string; readonly object: T }
  | { readonly type: 'deleted'; readonly resourceVersion: string; readonly object: T }
  | { readonly type: 'bookmark'; readonly resourceVersion: string }
  | { readonly type: 'expired' }
  | {
      readonly type: 'failed';
      readonly status: number | null;
      readonly error: string;
      readonly retryAfterMs: number | null;
    };

/**
 * What the core needs of the Kubernetes watch protocol: one list, one connection. The core itself resumes and retries.
 * Both are cold, and unsubscribing aborts the request even while it is pending. They err with a {@link Problem}.
 */
export interface WatchPort<T> {
  list(): Observable<Listing<T>>;
  /** Completes when the server ends it; `expired`: the version is too old (410). */
  watch(resourceVersion: string): Observable<WatchFrame<T>>;
}
