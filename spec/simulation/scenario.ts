import type { issuers } from '../../streams/issuers.ts';
import type { ReplicaPolicy } from '../../streams/replica.ts';
import type { Fault } from './fault.ts';

export interface TimedFault {
  readonly atMs: number;
  readonly fault: Fault;
}

/**
 * When a server that terminates TLS itself reads a changed certificate: soon; within two minutes; never; only the first
 * change; never in some Pods; or soon, except that it may restart into an older mount.
 */
export type NeighbourHabit = 'prompt' | 'late' | 'never' | 'once' | 'some-never' | 'older-mount';

/** Everything about a history that is decided before it begins. */
export interface Scenario {
  /** Of every draw that is made while it runs. */
  readonly seed: number;
  readonly replicas: number;
  readonly targets: number;
  /** How far each API server is behind with each target, ms. Each has an informer for each kind of webhook configuration. */
  readonly apiServerLagsMs: readonly (readonly number[])[];
  /** The issuer by name: what it does is looked up where it runs, so that a planted bug is in it. */
  readonly policy: Omit<ReplicaPolicy, 'identity' | 'issuer'> & { readonly issuer: keyof typeof issuers };
  readonly leaseDurationMs: number;
  readonly certValidityMs: number;
  readonly caValidityMs: number;
  /** How long the kubelet takes at most, unless it is nudged, to bring a new Secret into a Pod. */
  readonly kubeletDelayMs: number;
  /** How long each part of a load takes at most: verifying, serving, shaking hands. */
  readonly loadPartMs: number;
  /** Another server terminates TLS in each Pod; null: the replica does. */
  readonly neighbours: NeighbourHabit | null;
  /** Whether directory events reach the replicas. */
  readonly inotify: boolean;
  /** Whether replicas may write annotations on their Pods. */
  readonly podsWritable: boolean;
  /** Whether the leader may list and watch the Pods. */
  readonly podsReadable: boolean;
  /** How far a machine's wall clock may be from the truth. */
  readonly mostSkewMs: number;
  /** Null: nothing is there. Otherwise a CA and an announced leaf stand, with so much life left. */
  readonly standing: {
    readonly leafLeftMs: number;
    readonly caLeftMs: number;
    /** The CA stands as KubeTemplater leaves it, without `ca-bundle.crt`. */
    readonly unbundled: boolean;
    readonly names: readonly string[];
  } | null;
  readonly faults: readonly TimedFault[];
  /** From then on nothing goes wrong any more. */
  readonly calmAtMs: number;
}
