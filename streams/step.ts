import type { AuthorityState, SecretState, TargetState } from './cluster-state.ts';
import type { Announcement, CertificateFacts } from './model.ts';

/** What must still stand in the Secret, or in SECRET-ca, right before a write that rests on it. */
export type Account =
  | { readonly object: 'secret'; readonly state: SecretState }
  | { readonly object: 'authority'; readonly state: AuthorityState };

/** One write. Each names why it is needed, for the log and for the reader of a simulation. */
export type Step =
  | {
      readonly kind: 'issue-authority';
      readonly reason: 'missing' | 'unusable' | 'expiring' | 'requested';
      /** The older CAs that stay trusted. */
      readonly keep: readonly CertificateFacts[];
      readonly basis: AuthorityState | 'absent';
    }
  | { readonly kind: 'adopt-authority'; readonly keep: readonly CertificateFacts[]; readonly basis: AuthorityState }
  | {
      readonly kind: 'inject';
      readonly target: string;
      readonly trust: readonly CertificateFacts[];
      readonly basis: TargetState;
      /** On account of what trust is taken away. */
      readonly account?: Account;
    }
  | {
      readonly kind: 'issue-leaf';
      readonly reason:
        'missing' | 'unusable' | 'expiring' | 'requested' | 'names' | 'other-authority' | 'acknowledged-before';
      readonly authority: AuthorityState;
      readonly basis: SecretState | 'absent';
    }
  | { readonly kind: 'announce'; readonly announcement: Announcement; readonly fulfils: boolean }
  | { readonly kind: 'mark-served'; readonly sinceMs: number | null }
  | { readonly kind: 'ask-rotation'; readonly rotate: string | null }
  | { readonly kind: 'narrow-authority'; readonly keep: readonly CertificateFacts[]; readonly basis: AuthorityState }
  | { readonly kind: 'publish-trust'; readonly trust: readonly CertificateFacts[]; readonly basis: SecretState };
