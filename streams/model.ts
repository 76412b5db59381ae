/** What the leader writes on the Lease for every replica to see. */
export interface Announcement {
  /** Lower-case hex SHA-256 of the exact bytes of `tls.crt`. */
  readonly hash: string;
  /** The leaf's notAfter, RFC 3339 in UTC with seconds. */
  readonly validUntil: string;
}

/** What the leader notes on the Lease when every caBundle trusts what a next certificate needs. */
export interface TrustMark {
  /** Fingerprints of CAs. */
  readonly cas: readonly string[];
  /** Ms since the epoch. */
  readonly sinceMs: number;
}

/** The Lease as far as this system reads it. */
export interface LeaseSnapshot {
  readonly uid: string;
  readonly resourceVersion: string;
  /** Null when it has no holder (never acquired, or released). */
  readonly holder: string | null;
  readonly durationMs: number;
  /** Opaque: only ever compared for change, never with a clock. */
  readonly renewTime: string | null;
  readonly transitions: number;
  readonly announcement: Announcement | null;
  /** Why the announcement cannot be used although annotations are there, else null. */
  readonly malformed: string | null;
  /** The value of the annotation that requests a rotation: `leaf`, `ca`, `ca/FINGERPRINT` once begun. */
  readonly rotate: string | null;
  /** Since when every live replica has been seen serving the announced certificate, ms since the epoch. */
  readonly servedSinceMs: number | null;
  /** The CAs that the last change of trust is about, and since when every caBundle holds them. */
  readonly trusted: TrustMark | null;
  /** The field manager other than us that wrote the announcement last, null when there is none. */
  readonly otherManager: string | null;
}

/** One certificate as far as decisions need it. */
export interface CertificateInfo {
  /** Lower-case hex SHA-256 of the DER. */
  readonly fingerprint: string;
  readonly subject: string;
  readonly serial: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** DNS names and IP addresses of the subjectAltName. */
  readonly names: readonly string[];
  /** The certificate itself, for writing it into a bundle. */
  readonly pem: string;
}

/** One reading of the mounted directory: a whole `..data` generation. */
export interface VolumeSnapshot {
  /** Changes whenever any byte of `tls.crt`, `tls.key` or `ca.crt` does. */
  readonly generation: string;
  /** SHA-256 of `tls.crt`; null when there is none to read. */
  readonly hash: string | null;
  /** Why nothing could be read although something is there, else null. */
  readonly problem: string | null;
}

/** A pair that has passed every check and may be served. */
export interface VerifiedPair {
  readonly hash: string;
  readonly generation: string;
  readonly leaf: CertificateInfo;
  /** The mounted `ca.crt`: what callers are to trust it by. */
  readonly bundle: readonly CertificateInfo[];
  /** What is wrong with it but does not forbid serving it (only with an external issuer). */
  readonly advice: readonly string[];
}

/** The result of a handshake with a server that terminates TLS itself, when it does not show the announced pair. */
export interface NotShown {
  readonly kind: NotShownKind;
  /** One line: what it shows, or why nothing could be seen, and since when. */
  readonly detail: string;
  /** What it shows instead; null when there was no certificate to see. */
  readonly shown: VerifiedPair | null;
  /** Why callers refuse what it shows; null when they accept it. */
  readonly refused: string | null;
}

export type NotShownKind = 'served-elsewhere' | 'neighbour-unreachable' | 'neighbour-shows-no-certificate';

/** A replica as the leader sees its Pod. */
export interface Replica {
  readonly name: string;
  /** The hash it says it serves; null when it has not said. */
  readonly servingHash: string | null;
  /** By when it should be gone, though its object still exists: 0 for one that runs nowhere. Null while alive. */
  readonly goneAtMs: number | null;
}

export type UnreadyReason =
  | 'no-announcement'
  | 'no-certificate-file'
  | 'hash-mismatch'
  | `certificate-rejected: ${string}`
  | 'certificate-expired'
  | 'untrusted'
  | `${NotShownKind}: ${string}`;

export interface Readiness {
  readonly ready: boolean;
  /** Why not, most telling first; empty when ready. */
  readonly reasons: readonly UnreadyReason[];
  readonly served: VerifiedPair | null;
}
