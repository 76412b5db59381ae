/** What is read when somebody scrapes. Times in ms since the epoch; what is absent is null and has no series. */
export interface MetricsSnapshot {
  readonly version: string;
  readonly ready: boolean;
  readonly leader: boolean;
  /** What is announced is not what is served. */
  readonly mismatch: boolean;
  readonly servedNotAfterMs: number | null;
  readonly mountedNotAfterMs: number | null;
  readonly secretNotAfterMs: number | null;
  /** The authority that expires first in each target's caBundle. */
  readonly bundles: readonly { readonly target: string; readonly notAfterMs: number }[] | null;
  /** Hash that each replica says it serves; only the leader knows. */
  readonly servingHashes: readonly (string | null)[] | null;
  /** What the leader is doing or waiting for; null when there is nothing to do, or when this is not the leader. */
  readonly rotationStep: string | null;
}
