import { logThrottle, type Throttled } from '../logging/log-throttle.ts';

export type ConnectionErrorKind =
  | 'accept-failed'
  | 'answer-failed'
  | 'certificate-refused'
  | 'client-certificate'
  | 'connection-limit'
  | 'handshake-aborted'
  | 'handshake-failed'
  | 'handshake-timeout'
  | 'header-too-large'
  | 'malformed-request'
  | 'slow-body'
  | 'slow-header'
  | 'slow-reader';

/** Something a client did, or that happened to one. Each is counted; only the emit ones are worth a log line. */
export interface ConnectionError extends Throttled {
  readonly kind: ConnectionErrorKind;
  readonly reason: string;
}

export type ReportConnectionError = (kind: ConnectionErrorKind, reason: string) => void;

export const reportConnectionError = (onTrouble: (trouble: ConnectionError) => void): ReportConnectionError => {
  const loudness = logThrottle();
  return (kind, reason) => onTrouble({ kind, reason, ...loudness(kind) });
};

const kinds: readonly (readonly [RegExp, ConnectionErrorKind])[] = [
  [/^ERR_TLS_HANDSHAKE_TIMEOUT$/, 'handshake-timeout'],
  [/ALERT_(BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_UNKNOWN|CERTIFICATE_EXPIRED)/, 'certificate-refused'],
  [/PEER_DID_NOT_RETURN_A_CERTIFICATE|^(UNABLE_TO|DEPTH_ZERO|SELF_SIGNED|CERT_)/, 'client-certificate'],
  [/^(ECONNRESET|EPIPE)$/, 'handshake-aborted'],
];

/** What a failed handshake says about the one who tried: a scanner, a caller that does not trust us, a mere port probe. */
export const handshakeError = (error: NodeJS.ErrnoException): ConnectionErrorKind =>
  kinds.find(([pattern]) => pattern.test(error.code ?? ''))?.[1] ?? 'handshake-failed';
