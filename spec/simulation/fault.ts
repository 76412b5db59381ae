/** A replica by its number, whoever leads at that moment, or all of them. */
export type Who = number | 'leader' | 'all';

/** What befalls machines, their clocks and their kubelets. */
export type MachineFault =
  | { readonly kind: 'crash'; readonly who: Who; readonly downMs: number }
  /** Kills whoever writes next, right after the write took effect and before its answer. */
  | { readonly kind: 'crash-at-write'; readonly downMs: number }
  | { readonly kind: 'pause'; readonly who: Who; readonly forMs: number }
  | { readonly kind: 'pause-at-write'; readonly forMs: number; readonly renewals: boolean }
  | { readonly kind: 'replace-pod'; readonly who: Who; readonly graceMs: number }
  | { readonly kind: 'jump-clock'; readonly who: Who; readonly byMs: number }
  | { readonly kind: 'hang-kubelets'; readonly forMs: number };

/** What befalls messages and watches. */
export type NetworkFault =
  | { readonly kind: 'cut-off'; readonly who: Who; readonly forMs: number }
  | {
      readonly kind: 'bad-weather';
      readonly who: Who;
      readonly forMs: number;
      readonly errors: number;
      readonly losses: number;
      readonly slowMs: number;
    }
  | { readonly kind: 'cut-watches'; readonly who: Who; readonly cleanly: boolean }
  | { readonly kind: 'deafen-watches'; readonly who: Who }
  /** The history is compacted and every watch ends: resuming meets a 410. */
  | { readonly kind: 'compact' }
  /** Every connection breaks, nobody answers for a while, and what was watched may be forgotten. */
  | { readonly kind: 'restart-api-server'; readonly downMs: number; readonly forgets: boolean };

/** What people and other programs do to the Secrets. */
export type SecretDeed =
  | { readonly kind: 'delete'; readonly object: 'lease' | 'secret' | 'authority' }
  | {
      readonly kind: 'spoil-secret';
      readonly how: 'garbage' | 'other-key' | 'foreign' | 'emptied' | 'earlier' | 'other-trust';
    }
  | { readonly kind: 'spoil-authority'; readonly how: 'garbage' | 'earlier' }
  /** With the relay only: what another program, or a person, does to SOURCE_SECRET. */
  | {
      readonly kind: 'issue-into-source';
      readonly how:
        | 'leaf'
        | 'ca'
        | 'self-signed'
        | 'without-trust'
        | 'other-key'
        | 'other-trust'
        | 'other-name'
        | 'expired'
        | 'garbage'
        | 'earlier'
        | 'removed';
    }
  /** With an external issuer only: it renews the pair, perhaps under another CA. */
  | { readonly kind: 'issue-externally'; readonly anotherAuthority: boolean };

/** What they do to the caBundles. */
export type TargetDeed =
  | { readonly kind: 'spoil-target'; readonly target: number; readonly how: 'emptied' | 'foreign' | 'earlier' }
  /** The API server refuses every write of it by a replica (422), for a while or, with null, for ever. */
  | { readonly kind: 'refuse-target'; readonly target: number; readonly forMs: number | null }
  | { readonly kind: 'remake-target'; readonly target: number; readonly afterMs: number }
  /** Somebody writes the target back again and again. */
  | { readonly kind: 'fight'; readonly target: number; readonly everyMs: number; readonly times: number };

/** What they do to the Lease. */
export type LeaseDeed =
  | { readonly kind: 'forge-announcement'; readonly how: 'unknown' | 'mounted' | 'malformed' | 'removed' }
  | { readonly kind: 'set-rotation-request'; readonly rotate: string }
  /** Another elector takes the Lease and never renews it. */
  | { readonly kind: 'usurp' };

/** What they do to the Pods' annotations. */
export interface PodDeed {
  readonly kind: 'strip-pod';
  readonly who: Who;
  readonly of: 'servingHash' | 'expectedHash';
}

export type Fault = MachineFault | NetworkFault | SecretDeed | TargetDeed | LeaseDeed | PodDeed;

/** How each of these faults is made to happen. */
export type Strikes<F extends { readonly kind: string }> = {
  readonly [Kind in F['kind']]: (fault: Extract<F, { readonly kind: Kind }>) => void;
};
