/** Why a pair must not be served. */
export type PairFault =
  /** tls.crt differs from the announced one. */
  | 'hash-mismatch'
  /** tls.crt is torn or contains no PEM certificate. */
  | 'not-pem'
  /** tls.key is torn, contains no private key, or one of a kind that Node or the API server cannot use. */
  | 'key-unusable'
  /** tls.key is protected by a passphrase; there is no way to enter one. */
  | 'key-encrypted'
  /** The key belongs to another certificate. */
  | 'key-mismatch'
  | 'expired'
  | 'not-yet-valid'
  /** The extended key usage forbids serving TLS. */
  | 'not-for-servers'
  | 'missing-names'
  /** ca.crt is absent, torn or empty. */
  | 'trust-unreadable'
  | 'untrusted-chain'
  /** The certificate or its key cannot be parsed at all. */
  | 'tls-refused';

export interface Fault {
  readonly reason: PairFault;
  /** One line for a log; never any of the key or the PEM. */
  readonly detail: string;
  /** The same bytes may pass later. */
  readonly retryable: boolean;
}

/** Builds a fault. It is permanent until the bytes change, unless `retryable` says that it may pass later. */
export const fault = (reason: PairFault, detail: string, retryable = false): Fault => ({ reason, detail, retryable });
