import type { CertificateFacts, LeaseSnapshot, Replica } from './model.ts';

/** Secret `SECRET_NAME`, without its key. */
export interface SecretState {
  readonly resourceVersion: string;
  /** SHA-256 of `tls.crt`; null when there is none. */
  readonly hash: string | null;
  readonly leaf: CertificateFacts | null;
  /** The leaf's notAfter as it is announced, RFC 3339; empty without a leaf. */
  readonly validUntil: string;
  /**
   * Fingerprint of the certificate in `ca.crt` that signed `tls.crt`, be its key usable or not; its own when it signed itself;
   * null when none did.
   */
  readonly issuer: string | null;
  /** The certificates of `ca.crt`. */
  readonly trust: readonly CertificateFacts[];
  /** Why the pair cannot be used (not PEM, key of another certificate…), else null. */
  readonly problem: string | null;
  /** The field manager other than us that wrote its values last, null when there is none. */
  readonly rival: string | null;
}

/** Secret `SECRET_NAME-ca`, without its key. */
export interface AuthorityState {
  readonly resourceVersion: string;
  /** The CA that signs; null when certificate or key are unusable. */
  readonly current: CertificateFacts | null;
  /** `ca-bundle.crt`: the current and the older, still trusted CAs. */
  readonly bundle: readonly CertificateFacts[];
  /** As in {@link SecretState}. */
  readonly rival: string | null;
}

/** One object whose caBundle fields are ours. */
export interface TargetState {
  readonly resourceVersion: string;
  /** One entry a caBundle field, each the certificates it holds; unreadable PEM shows as an empty entry. */
  readonly bundles: readonly (readonly CertificateFacts[])[];
  /** The field manager other than us that wrote a caBundle last, null when there is none. */
  readonly rival: string | null;
}

/**
 * What is known of an object: nothing yet, that it must not be read (forbidden) or that it does not exist.
 * A decision waits for the first, and does not wait for the second.
 */
export type Known<T> = T | 'unknown' | 'unreadable' | 'absent';

export interface Target {
  readonly id: string;
  readonly state: Known<TargetState>;
  /** Repairs of it are held back because somebody else keeps rewriting it. */
  readonly held: boolean;
}

/** Everything a decision of the leader rests on. */
export interface Observed {
  readonly lease: LeaseSnapshot;
  readonly secret: Known<SecretState>;
  readonly authority: Known<AuthorityState>;
  readonly targets: readonly Target[];
  readonly replicas: Exclude<Known<readonly Replica[]>, 'absent'>;
}
