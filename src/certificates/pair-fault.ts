/** Why a pair must not be served. */
export type PairFault =
  /** tls.crt is not the announced one, byte by byte. */
  | 'hash-mismatch'
  /** tls.crt is torn or holds no PEM certificate. */
  | 'not-pem'
  /** tls.key is torn, holds no private key, or one of a kind that Node or the API server cannot use. */
  | 'key-unusable'
  /** tls.key asks for a passphrase, and there is nobody to ask. */
  | 'key-encrypted'
  /** The key belongs to another certificate. */
  | 'key-mismatch'
  | 'expired'
  | 'not-yet-valid'
  /** The extended key usage forbids serving TLS with it. */
  | 'not-for-servers'
  | 'missing-names'
  /** ca.crt is absent, torn or empty. */
  | 'trust-unreadable'
  | 'untrusted-chain'
  /** It cannot even be looked at. */
  | 'tls-refused';

export interface Fault {
  readonly reason: PairFault;
  /** One line for people; never any of the key or the PEM. */
  readonly detail: string;
  /** The same bytes may pass later. */
  readonly retryable: boolean;
}

/** A fault that only other bytes mend, unless it says that time does. */
export const fault = (reason: PairFault, detail: string, retryable = false): Fault => ({ reason, detail, retryable });
