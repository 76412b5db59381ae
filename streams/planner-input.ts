import { allAcknowledged } from './acknowledged.ts';
import type { CertificateInfo, LeaseSnapshot, Replica } from './model.ts';

/** Secret `SECRET_NAME`, without its key. */
export interface SecretState {
  readonly resourceVersion: string;
  /** SHA-256 of `tls.crt`; null when there is none. */
  readonly hash: string | null;
  readonly leaf: CertificateInfo | null;
  /** The leaf's notAfter as it is announced, RFC 3339; empty without a leaf. */
  readonly validUntil: string;
  /**
   * Fingerprint of the certificate in `ca.crt` that signed `tls.crt`, be its key usable or not; its own when it signed itself;
   * null when none did.
   */
  readonly issuer: string | null;
  /** The certificates of `ca.crt`. */
  readonly trust: readonly CertificateInfo[];
  /** Why the pair cannot be used (not PEM, key of another certificate…), else null. */
  readonly problem: string | null;
  /** The field manager other than us that wrote its values last, null when there is none. */
  readonly otherManager: string | null;
  /** What could not be read of `ca.crt`, one text a block; the rest of it counts. */
  readonly trustProblems?: readonly string[];
  /** Why values that another program or a person has put there are none that the leader may replace; they are never overwritten. */
  readonly foreign?: string | null;
}

/** Secret `SECRET_NAME-ca`, without its key. */
export interface CaState {
  readonly resourceVersion: string;
  /** The CA that signs; null when certificate or key are unusable. */
  readonly current: CertificateInfo | null;
  /** `ca-bundle.crt`: the current and the older, still trusted CAs. */
  readonly bundle: readonly CertificateInfo[];
  /** As in {@link SecretState}. */
  readonly otherManager: string | null;
  /** Why SECRET-ca cannot sign although another program or a person has put values into it; such a CA is never overwritten. */
  readonly foreign?: string | null;
  /** The CA that signs was put there by another program or a person, who also renews it. */
  readonly isOwn?: boolean;
  /** Fingerprints of the older CAs that accept a leaf of the current one, through the cross-signed CA behind it. */
  readonly crossSignedBy?: readonly string[];
}

/** One object whose caBundle fields are ours. */
export interface TargetState {
  readonly resourceVersion: string;
  /** One entry a caBundle field, each the certificates it holds; unreadable PEM shows as an empty entry. */
  readonly bundles: readonly (readonly CertificateInfo[])[];
  /** The field manager other than us that wrote a caBundle last, null when there is none. */
  readonly otherManager: string | null;
}

/**
 * What is known of an object: nothing yet, that it must not be read (forbidden) or that it does not exist.
 * A decision waits for the first, and does not wait for the second.
 */
export type Observed<T> = T | 'pending' | 'forbidden' | 'absent';

/**
 * What is known of a target. `unreadable`: its first list failed in a way that may pass (5xx, no answer). Which CAs it
 * trusts is unknown, so that a change of CA waits for it; nothing else does (L9).
 */
export type ObservedTarget = Observed<TargetState> | 'unreadable';

export interface Target {
  readonly id: string;
  readonly state: ObservedTarget;
  /** It is not written for now: another manager contends it, or the last write of it failed. */
  readonly held: boolean;
  /** Why the API server lastingly refuses the leader's write of it; absent or null when it does not. */
  readonly refused?: string | null;
}

/** What the leader writes besides the targets. */
export type OwnObject = 'secret' | 'ca' | 'announcement';

/** Everything a decision of the leader depends on. */
export interface PlannerInput {
  readonly lease: LeaseSnapshot;
  readonly secret: Observed<SecretState>;
  readonly ca: Observed<CaState>;
  /** Secret SOURCE_SECRET, into which another program issues; absent where the issuer reads none. */
  readonly source?: Observed<SecretState>;
  readonly targets: readonly Target[];
  readonly replicas: Exclude<Observed<readonly Replica[]>, 'absent'>;
  /** The objects that are not written for now, for the reasons of {@link Target.held}; absent: none. */
  readonly paused?: ReadonlySet<OwnObject>;
  /** Absent: by the wall clock, as another replica or a reader of the cluster sees it. */
  readonly ages?: MarkAges;
}

/** For how long this leader has seen the marks of the Lease as they stand, ms on a clock that never jumps. */
export interface MarkAges {
  readonly trustedMs: number;
  readonly servedMs: number;
}

/** The observed cluster. The leader adds which targets are held and which refuse its writes when it plans. */
export type ClusterState = Omit<PlannerInput, 'targets' | 'paused' | 'ages'> & {
  readonly targets: readonly Omit<Target, 'held' | 'refused'>[];
};

/** An object as it was after this replica's last write or read of it. */
export type WriteResult =
  | { readonly object: 'secret'; readonly state: SecretState }
  | { readonly object: 'source'; readonly state: SecretState }
  | { readonly object: 'ca'; readonly state: CaState }
  | { readonly object: 'target'; readonly id: string; readonly state: TargetState };

export interface IssuancePolicy {
  /** This replica's Pod: the acknowledgements must include its own. */
  readonly identity: string;
  /** The names that a leaf must carry. */
  readonly names: readonly string[];
  readonly renewBeforeMs: number;
  readonly caRenewBeforeMs: number;
  readonly caOverlapMs: number;
  /** How long an API server may take to call with a caBundle that was written. */
  readonly trustSettleMs: number;
}

/** What the planner looks at in each rule. */
export interface PlannerView extends IssuancePolicy {
  readonly nowMs: number;
  readonly observed: PlannerInput;
  readonly secret: SecretState | 'absent';
  readonly ca: CaState;
  readonly current: CertificateInfo;
}

/** The Secret's leaf is of the current CA, usable, and what is announced. */
export const isSettled = ({ secret, current, observed }: PlannerView): boolean =>
  secret !== 'absent' &&
  secret.problem === null &&
  secret.issuer === current.fingerprint &&
  secret.hash === observed.lease.announcement?.hash;

/** Whether the announced leaf has been served everywhere for CA_OVERLAP: only then is no older CA in use. */
export const isOverlapOver = (view: PlannerView): boolean => {
  const { observed, identity, caOverlapMs, trustSettleMs, nowMs } = view;
  const { servedSinceMs, announcement } = observed.lease;
  if (!isSettled(view) || announcement === null || observed.replicas === 'pending' || servedSinceMs === null)
    return false;
  if (!allAcknowledged(observed.replicas, announcement.hash, { identity, nowMs })) return false;
  // A leaf that is issued after the overlap has no cross-signed CA behind it: every API server must have seen the new CA by then.
  if (observed.ages !== undefined && observed.ages.servedMs < trustSettleMs) return false;
  return nowMs >= servedSinceMs + Math.max(caOverlapMs, trustSettleMs);
};
