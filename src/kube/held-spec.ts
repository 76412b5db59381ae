import { microTime } from './micro-time.ts';

/** Who writes the Lease, and how. */
export interface LeaseAuthor {
  readonly identity: string;
  /** LEASE_DURATION; written in whole seconds, rounded up, at least one. */
  readonly durationMs: number;
  /** Without the slash: `kubetemplater.io`. */
  readonly annotationPrefix: string;
}

/** What a holder writes at each renewal. */
export interface HeldSpec {
  readonly holderIdentity: string;
  readonly leaseDurationSeconds: number;
  readonly renewTime: string;
}

/** The part of a Lease's spec that says: ours, as of now. */
export function heldSpec({ identity, durationMs }: LeaseAuthor, nowMs: number): HeldSpec {
  const leaseDurationSeconds = Math.max(1, Math.ceil(durationMs / 1000));
  return { holderIdentity: identity, leaseDurationSeconds, renewTime: microTime(nowMs) };
}
