import type { Follow } from './follow-object.ts';

export interface KubeletOptions {
  /** The API server, embedded or any other that lets objects be followed. */
  readonly server: { readonly follow: Follow };
  readonly namespace: string;
  readonly podName: string;
  readonly secretName: string;
  /** The mounted volume, made when absent. */
  readonly directory: string;
  /** From a change of the Secret to its delivery; a real kubelet takes about a minute. Infinity: only when nudged. */
  readonly delayMs: number;
  /** From a change of the Pod's annotations to a delivery. Default 100 ms. */
  readonly nudgeDelayMs?: number;
  /**
   * `secret.optional` of the volume, default true: an absent or deleted Secret is an empty volume.
   * False: an absent one is waited for, and a deleted one leaves the last content.
   */
  readonly isOptional?: boolean;
}

/** The part of a kubelet that keeps one Secret volume of one Pod. */
export interface EmbeddedKubelet extends AsyncDisposable {
  /** May be set at any time; counts for changes from then on. */
  delayMs: number;
  /** How many times the content of the volume has changed. */
  readonly deliveries: number;
}
