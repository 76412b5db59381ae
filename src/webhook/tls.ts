import { constants } from 'node:crypto';
import type { TlsOptions } from 'node:tls';

/** PEM, as it stands in `tls.crt` and `tls.key`. */
export interface Pair {
  readonly certificate: Buffer | string;
  readonly key: Buffer | string;
}

export interface TlsSettings {
  readonly tlsMinVersion: '1.2' | '1.3';
  /** PEM of the authorities that client certificates must chain to; null asks for none. */
  readonly clientCa?: Buffer | string | null;
}

/**
 * Everything a secure context needs, each time: what `setSecureContext` is not given falls back to Node's default, so a
 * server that only speaks TLS 1.3 would speak 1.2 after a swap of just the pair.
 *
 * No authorities where no client is asked for a certificate: without `ca`, Node reads all hundred and fifty that the web
 * trusts, before the first handshake.
 *
 * No session tickets: a resumed session shows no certificate, so a caller could go on under one long replaced.
 * kube-apiserver never resumes, so they would be work for nobody.
 */
export const tlsOptions = (pair: Pair, { tlsMinVersion, clientCa = null }: TlsSettings): TlsOptions => ({
  cert: pair.certificate,
  key: pair.key,
  minVersion: `TLSv${tlsMinVersion}`,
  ALPNProtocols: ['http/1.1'],
  secureOptions: constants.SSL_OP_NO_TICKET,
  ...(clientCa === null ? { ca: [] } : { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
});
