/** A replica by its number, whoever leads at that moment, or all of them. */
export type Who = number | 'leader' | 'all';

/** What goes wrong, or what somebody does. */
export type Fault =
  | { readonly kind: 'crash'; readonly who: Who; readonly downMs: number }
  /** Kills whoever writes next, right after the write took effect and before its answer. */
  | { readonly kind: 'crash-at-write'; readonly downMs: number }
  | { readonly kind: 'pause'; readonly who: Who; readonly forMs: number }
  | { readonly kind: 'pause-at-write'; readonly forMs: number; readonly renewals: boolean }
  | { readonly kind: 'replace-pod'; readonly who: Who; readonly graceMs: number }
  | { readonly kind: 'jump-clock'; readonly who: Who; readonly byMs: number }
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
  | { readonly kind: 'hang-kubelets'; readonly forMs: number }
  | { readonly kind: 'delete'; readonly object: 'lease' | 'secret' | 'authority' }
  | {
      readonly kind: 'spoil-secret';
      readonly how: 'garbage' | 'other-key' | 'foreign' | 'emptied' | 'earlier' | 'other-trust';
    }
  | { readonly kind: 'spoil-authority'; readonly how: 'garbage' | 'earlier' }
  | { readonly kind: 'spoil-target'; readonly target: number; readonly how: 'emptied' | 'foreign' | 'earlier' }
  | { readonly kind: 'remake-target'; readonly target: number; readonly afterMs: number }
  | { readonly kind: 'forge-announcement'; readonly how: 'unknown' | 'mounted' | 'malformed' | 'removed' }
  | { readonly kind: 'ask-rotation'; readonly rotate: string }
  /** With an external issuer only: it renews the pair, perhaps under another CA. */
  | { readonly kind: 'issue-externally'; readonly anotherAuthority: boolean }
  /** Somebody writes the target back again and again. */
  | { readonly kind: 'fight'; readonly target: number; readonly everyMs: number; readonly times: number }
  /** Another elector takes the Lease and never renews it. */
  | { readonly kind: 'usurp' };
