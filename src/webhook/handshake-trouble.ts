import type { TroubleKind } from './trouble.ts';

const kinds: readonly (readonly [RegExp, TroubleKind])[] = [
  [/^ERR_TLS_HANDSHAKE_TIMEOUT$/, 'handshake-timeout'],
  [/ALERT_(BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_UNKNOWN|CERTIFICATE_EXPIRED)/, 'certificate-refused'],
  [/PEER_DID_NOT_RETURN_A_CERTIFICATE|^(UNABLE_TO|DEPTH_ZERO|SELF_SIGNED|CERT_)/, 'client-certificate'],
  [/^(ECONNRESET|EPIPE)$/, 'handshake-aborted'],
];

/** What a failed handshake says about the one who tried: a scanner, a caller that does not trust us, a mere port probe. */
export const handshakeTrouble = (error: NodeJS.ErrnoException): TroubleKind =>
  kinds.find(([pattern]) => pattern.test(error.code ?? ''))?.[1] ?? 'handshake-failed';
