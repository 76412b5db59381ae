import type { CaState, SecretState, TargetState } from './cluster-state.ts';
import type { Announcement, CertificateInfo } from './model.ts';

/** What must still stand in the Secret, or in SECRET-ca, right before a write that rests on it. */
export type Precondition =
  { readonly object: 'secret'; readonly state: SecretState } | { readonly object: 'ca'; readonly state: CaState };

/** One write. Each names why it is needed, for the log and for the reader of a simulation. */
export type Step =
  | {
      readonly kind: 'issue-ca';
      readonly reason: 'missing' | 'unusable' | 'expiring' | 'requested';
      /** The older CAs that stay trusted. */
      readonly keep: readonly CertificateInfo[];
      readonly plannedOn: CaState | 'absent';
    }
  | { readonly kind: 'extend-ca-bundle'; readonly keep: readonly CertificateInfo[]; readonly plannedOn: CaState }
  | {
      readonly kind: 'inject';
      readonly target: string;
      readonly trust: readonly CertificateInfo[];
      readonly plannedOn: TargetState;
      /** On account of what trust is taken away. */
      readonly precondition?: Precondition;
    }
  | {
      readonly kind: 'issue-leaf';
      readonly reason: 'missing' | 'unusable' | 'expiring' | 'requested' | 'names' | 'other-ca' | 'acknowledged-before';
      readonly ca: CaState;
      readonly plannedOn: SecretState | 'absent';
    }
  | { readonly kind: 'announce'; readonly announcement: Announcement; readonly clearsRotationRequest: boolean }
  | { readonly kind: 'record-served'; readonly sinceMs: number | null }
  | { readonly kind: 'set-rotation-request'; readonly rotate: string | null }
  | { readonly kind: 'prune-ca-bundle'; readonly keep: readonly CertificateInfo[]; readonly plannedOn: CaState }
  | { readonly kind: 'update-secret-ca'; readonly trust: readonly CertificateInfo[]; readonly plannedOn: SecretState };
