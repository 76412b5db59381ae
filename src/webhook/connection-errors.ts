import { logThrottle, type Throttled } from '../logging/log-throttle.ts';
import type { TlsSettings } from './tls.ts';

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
  | 'slow-reader'
  | 'tls-version';

/** A failed or misbehaving connection. Each is counted; only those with `emit` are logged. */
export interface ConnectionError extends Throttled {
  readonly kind: ConnectionErrorKind;
  readonly reason: string;
}

/**
 * Reports one error. Errors of one kind and one cause share a rate limit; unlike errors do not, so that a port scan
 * never hides the one caller that cannot connect. The cause is the reason unless given, as where the reason names a peer.
 */
export type ReportConnectionError = (kind: ConnectionErrorKind, reason: string, cause?: string) => void;

export const reportConnectionError = (
  onConnectionError: (connectionError: ConnectionError) => void,
): ReportConnectionError => {
  const throttle = logThrottle();
  return (kind, reason, cause = reason) => onConnectionError({ kind, reason, ...throttle(`${kind} ${cause}`) });
};

/** Errors of node:tls; those of OpenSSL carry its reason without thread id and source line. */
type HandshakeFailure = NodeJS.ErrnoException & { readonly reason?: string };

const kinds: readonly (readonly [RegExp, ConnectionErrorKind])[] = [
  [/^ERR_TLS_HANDSHAKE_TIMEOUT$/, 'handshake-timeout'],
  [/UNSUPPORTED_PROTOCOL|ALERT_PROTOCOL_VERSION|VERSION_TOO_LOW/, 'tls-version'],
  [/ALERT_(BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_UNKNOWN|CERTIFICATE_EXPIRED)/, 'certificate-refused'],
  [/PEER_DID_NOT_RETURN_A_CERTIFICATE|^(UNABLE_TO|DEPTH_ZERO|SELF_SIGNED|CERT_)/, 'client-certificate'],
  [/^(ECONNRESET|EPIPE)$/, 'handshake-aborted'],
];

/** Classifies a failed handshake: a scanner, a caller that does not trust the certificate, a mere port probe. */
export const handshakeError = ({ code = '' }: HandshakeFailure): ConnectionErrorKind =>
  kinds.find(([pattern]) => pattern.test(code))?.[1] ?? 'handshake-failed';

/** Node's advice for a client that lacks a root CA; it does not concern the server that reports a client's failure. */
const NODE_ADVICE = /;? ?if the root CA is installed locally, try running Node\.js with --use-system-ca/;

const oldestTls = (minVersion: TlsSettings['tlsMinVersion']) => minVersion.slice('TLSv'.length);

/** Describes a failed handshake for the log: no OpenSSL thread ids, and the setting that decides where one does. */
export const handshakeReason = (
  error: HandshakeFailure,
  peer: string | undefined,
  tlsMinVersion: TlsSettings['tlsMinVersion'],
): string => {
  if (handshakeError(error) === 'tls-version')
    return `${peer ?? 'the peer'} offers only TLS versions older than TLS_MIN_VERSION=${oldestTls(tlsMinVersion)}`;
  return error.reason ?? error.message.replace(NODE_ADVICE, '');
};
