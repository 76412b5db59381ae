import type { Announcement, CertificateInfo, TrustMark } from './model.ts';
import type { CaState, OwnObject, SecretState, TargetState } from './planner-input.ts';

/** What the Secret, SECRET-ca or SOURCE_SECRET must still contain right before a write that rests on it. */
export type Precondition =
  | { readonly object: 'secret'; readonly state: SecretState }
  | { readonly object: 'source'; readonly state: SecretState }
  | { readonly object: 'ca'; readonly state: CaState };

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
  | {
      /** Copies the pair of SOURCE_SECRET, byte for byte, into the mounted Secret. */
      readonly kind: 'copy-secret';
      readonly source: SecretState;
      readonly plannedOn: SecretState | 'absent';
      /** What `ca.crt` of the mounted Secret is to hold: what the caBundles trust. Empty: it has none. */
      readonly trust: readonly CertificateInfo[];
      /** Where the source says nothing about its CA: the caBundles, each of which must accept the pair. */
      readonly acceptedBy: readonly (readonly CertificateInfo[])[];
    }
  | { readonly kind: 'announce'; readonly announcement: Announcement; readonly clearsRotationRequest: boolean }
  | { readonly kind: 'record-served'; readonly sinceMs: number | null }
  | { readonly kind: 'record-trusted'; readonly trusted: TrustMark }
  | { readonly kind: 'set-rotation-request'; readonly rotate: string | null }
  | { readonly kind: 'prune-ca-bundle'; readonly keep: readonly CertificateInfo[]; readonly plannedOn: CaState }
  | { readonly kind: 'update-secret-ca'; readonly trust: readonly CertificateInfo[]; readonly plannedOn: SecretState };

export type LeaseStep = Extract<
  Step,
  { kind: 'announce' | 'record-served' | 'record-trusted' | 'set-rotation-request' }
>;
export type ObjectStep = Exclude<Step, LeaseStep>;

/** The object that a step writes: the id of a target, or one of the leader's own. */
export const objectOf = (step: Step): string => (step.kind === 'inject' ? step.target : ownObjectOf(step));

export const ownObjectOf = ({ kind }: Exclude<Step, { kind: 'inject' }>): OwnObject => {
  switch (kind) {
    case 'issue-ca':
    case 'extend-ca-bundle':
    case 'prune-ca-bundle':
      return 'ca';
    case 'issue-leaf':
    case 'copy-secret':
    case 'update-secret-ca':
      return 'secret';
    case 'announce':
    case 'record-served':
    case 'record-trusted':
    case 'set-rotation-request':
      return 'announcement';
  }
};

export const isLeaseStep = (step: Step): step is LeaseStep =>
  step.kind !== 'inject' && ownObjectOf(step) === 'announcement';
