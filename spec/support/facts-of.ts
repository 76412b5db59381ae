import type { CertificateInfo } from '../../streams/model.ts';

/** A certificate that is valid in the first hour of virtual time. */
export const factsOf = (fingerprint: string, rest: Partial<CertificateInfo> = {}): CertificateInfo => ({
  fingerprint,
  subject: `CN=${fingerprint}`,
  serial: '01',
  notBeforeMs: 0,
  notAfterMs: 3_600_000,
  names: ['svc.ns.svc'],
  pem: `PEM of ${fingerprint}`,
  ...rest,
});
