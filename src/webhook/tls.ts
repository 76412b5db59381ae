import { constants } from 'node:crypto';
import type { TlsOptions } from 'node:tls';

/** PEM, as in `tls.crt` and `tls.key`. */
export interface Pair {
  readonly certificate: Buffer | string;
  readonly key: Buffer | string;
}

export interface TlsSettings {
  readonly tlsMinVersion: 'TLSv1.2' | 'TLSv1.3';
  /** PEM of the CAs that client certificates must chain to; null requests no client certificate. */
  readonly clientCa?: Buffer | string | null;
}

/**
 * Returns the complete options of a secure context. `setSecureContext` resets every omitted option to Node's default, so
 * a server limited to TLS 1.3 would accept 1.2 after a swap of the pair alone.
 *
 * `ca` is empty where no client certificate is requested: without it Node reads all 150 public root CAs before the first
 * handshake.
 *
 * Session tickets are disabled: a resumed session presents no certificate, so a caller could continue under one that was
 * replaced long ago. kube-apiserver never resumes sessions, so it loses nothing.
 */
export const tlsOptions = (pair: Pair, { tlsMinVersion, clientCa = null }: TlsSettings): TlsOptions => ({
  cert: pair.certificate,
  key: pair.key,
  minVersion: tlsMinVersion,
  ALPNProtocols: ['http/1.1'],
  secureOptions: constants.SSL_OP_NO_TICKET,
  ...(clientCa === null ? { ca: [] } : { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
});
